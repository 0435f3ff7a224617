//! Recognises televisions and set-top boxes by their user agents.
//!
//! Most of these user agents contain a word for the platform. However, many televisions and boxes with Android send
//! only their model and `Mobile`, as phones do. Such devices are recognised in two ways: by the form of the model name
//! (a panel size before or between letters, `TV`, `BOX`), and by the names of boxes that are sold under many brands.

use super::pattern::Pattern;

/// Words that identify a television on every system.
static CERTAIN: Pattern = Pattern::new(concat!(
    r"(?i:HbbTV|Hybridcast|SMART-TV|SmartTV_|Andr0id|diordnA|InettvBrowser|CE-HTML|tclwebkit)",
    r"|Opera TV Store|SonyDTV|SonyCEBrowser|SonyBDP|LG Browser|NetCast|Large Screen|olleh tv",
));

/// Systems of televisions. They are searched before [`BOXES`], because user agents with these systems may also contain
/// words for boxes.
static SYSTEMS_OF_SETS: Pattern = Pattern::new(r"TiVo ?OS|TitanOS|WhaleTV|SmartTvA|_TV_[A-Z0-9]+_20\d\d");

/// Words that identify a set-top box. Most boxes belong to network operators.
static BOXES: Pattern = Pattern::new(concat!(
    r"STB|SetTop|[Ss]et-[Tt]op|\bRDK|_OTT_|stbapp|\bMAG ?\d{3}|AuraHD|\bTiVo\b|H[Uu][Mm][Aa][Xx]|DigiCorder|Digit ISIO",
    r"|QtEmbedded|QtWebKit/|(?:GW|MR)-Device/|\bVMS/|KreaTV|\(Astro;|\bTKC/|[Ff]reebox|Westerndigital|YouView",
    r"|S[Aa][Gg][Ee][Mm][Cc][Oo][Mm]|T[Ee][Cc][Hh][Nn][Ii][Cc][Oo][Ll][Oo][Rr]|\bKAON|\bARRIS\b|TNTSAT|Dune ?HD|DUNEHD|Enigma2|VUPLUS|Dreambox",
    r"|NEXT [A-Z0-9 -]+_VLC/|Cinnamon/|\bONT_|LibertyGlobal|EOSSTB|\bHorizonTV|Swisscom|BrightSign|[Bb]ouygtel|\bHMB\d{4}",
));

/// Words that identify a television, or a stick or box with a television's system.
static SETS: Pattern = Pattern::new(concat!(
    r"(?i:\bSmart ?TV\b|SmartHub|GoogleTV|Google TV(?:[^/]|$)|Android ?TV(?:[^/]|$))",
    r"|BRAVIA|CrKey|Chromecast|NETTV|\bOMI/|SmartCast|ViziOS|\bV[Ii][Zz][Ii][Oo]\b|\bV(?:iera|IERA)\b|AQUOS[^;)]*TV|\bAQUOS\b[^;)]*LC-|\bLC-\d\d[A-Z]",
    r"|\bTV Safari|Safari/[0-9.]+ TV\b|\bTV Bro/|\((?:DTV|TV)[;)]|SRAF/|Espial|ANTGalio|Odin/|MB\d{2,}/\d|TSBNetTV|FVC/",
    r"|\b_?TV_|DTV_|avui/tv|\bMaple[_;]|Kepler/|Vewd|BrowseHere|Quick Search TV|YNDX-000|WebTV|(?i:netrange|zeasn)",
    r"|AppleTV|Apple TV|\bRoku|VIDAA|Web0S|webOS\.TV|\bM[Ii] ?TV|(?i:\bmi ?box)|TiviMate|\bWD TV|DLNADOC",
));

/// Builds of Android TV. The second letter of the branch name is a T in builds for televisions, and another letter in
/// builds for phones. Some old builds existed only for televisions and boxes.
static BUILDS: Pattern =
    Pattern::new(r"Build/(?:[N-V]T[A-Z]{1,2}\d?\.\d{6}|PPR2\.180905\.006|NHG47L|M5C14J|OPR5\.|NRD91N)");

/// The brackets at the end of user agents of consumer electronics. They contain the maker, the model and the
/// connection.
static SIGNATURE: Pattern =
    Pattern::new(r"\([^(),;]+, ?[^(),;]*, ?((?i:wired|wireless|wi-?fi|ethernet|))\s*\)\s*$");

/// Processors and browser engines of televisions and boxes.
static EMBEDDED: Pattern = Pattern::new(
    r"\((?:[^()]*; ?)?Linux (?:armv?\d\w*|arm|mips\w*|sh4)\b|\(Linux; (?:aarch64|x86_64 GNU/Linux)\)| WPE\b|QtWebEngine",
);
/// Words that identify small desktop computers, which may also have Arm processors.
static DESKTOP: Pattern =
    Pattern::new(r"Firefox/|Ubuntu|Raspbian|Raspberry|Debian|Fedora|CrOS|aarch64.*Chromium/");

/// The model in a user agent of Android, after an optional language.
static MODEL: Pattern =
    Pattern::new(r"(?:Andr[o0]id|diordnA)[^;)]*;\s*(?:[a-z]{2}(?:[-_][A-Za-z]{2,4})*\s*;\s*)?([^;)]+)");

/// Models of boxes: models of network operators, and models whose name contains a word for a box.
static BOX_MODELS: Pattern = Pattern::new(concat!(
    r"(?i:\b(?:tv|smart|android|media|hd|set.?top|stream\w*|telia|open|core)[ _-]?box)|[ _-](?:BOX|[Bb]ox)\b|[A-Za-z]Box\b|BOX\b|BOX[ _-]?[A-Z]\d",
    r"|^(?i:(?:zte )?(?:zxv10 )?b[678]\d\d(?:[achiv]\w*)?(?:[ ._-]|$)|ai pont|jhs[a-z]\d{3}|b(?:hx|id|ip|ko)-[a-z]{1,2}\d{3}|stw\d{4}|imtm-\d",
    r"|(?:skyworth )?(?:hp4\d[a-h]|leap-s\d)|(?:amlogic|droidlogic) ?|[pq]2(?:00|01|12|81)$|u2(?:00|11|12)$|(?:d(?:ci|ti|i)|u[hiz])w\d{3}|uzx\d{4}|dcx\d{3,4})",
    r"|^(?i:box |freebox|bbox|livebox|b-stream|movix|sdott|dv[89]\d{3}|sei\d00|kaon|technicolor|sagemcom|humax|arris|b8\d\dv|",
    r"ec6108|ct-8\d{3}|dynalink|allente|bell streamer|proximus|magenta|meo\b|at&t tv|mag\d{3}|sbdv|kant-|dscs9|vip\d{4})",
    r"|(?i:\bdvb\b|\bott\b|\bdecoder)",
));

/// Models of televisions. Their names contain one of three texts: `TV` as a word or next to letters of the maker, the
/// name of a panel technology, or a panel size in inches. The size is at the start or after letters of the maker, and
/// letters and digits follow it.
static SET_MODELS: Pattern = Pattern::new(concat!(
    r"(?:^|[^A-Za-z])(?:[ILQSU]|Smart|HiSmart|Android|Google|Beyond|Salute|haierA|DEXP_|AI|IP|MS)?TV(?:$|[^A-Za-z0-9])|\bTV\d",
    r"|\b(?:ATV|TDTV|TVPLUS|TVBOX|HiSmartTV|haierATV|STV-\d|TVS-|TVE\d|GTV\d|TVB-)|(?:^|[ _.-])tv(?:$|[ _.\d-])|[a-z]A?TV\d?(?:$|[ _-])|^[A-Z]{2,5}TV(?:$|-)|\b[48]K(?:$| )|iTV\d",
    r"|LED[-_ ]?\d\d|LCD\d\d|\bQLED|UHD(?: |$|_)|(?:^|[ _])AS_?4K|\bFHD TV|[Ss]hell\b|SHELL\b",
    r"|(?:^|[ _])(?:1[59]|2[02348]|3[29]|4[0238]|5[0158]|6[05]|7[057]|8[2356]|98|100)(?:[A-Z][A-Za-z_-]*\d|[A-Z]{4,}\b)",
    r"|^(?:[A-Za-z0-9]+[ _-])*[A-Z]{1,5}-?(?:1[59]|2[02348]|3[29]|4[0238]|5[0158]|6[05]|7[057]|8[2356]|98)(?:[A-Z][A-Za-z_-]*\d{2,}|[A-Z]{3,}\d|[A-Z]{4,}\b)",
    r"|\b(?:NV\d{3}W|NG\d{4}HD|V\d{3}[DH]J\d)",
));

/// Models of boxes and sticks that are sold under many brands.
static STREAMERS: Pattern = Pattern::new(concat!(
    r"(?i)(?:^|[ _-])(?:A95X|A5X ?MAX|X96|X92$|X88|T95|H96|HK1[ _]|TX3|TX[569](?:S|[ _]?(?:mini|max))|KM[2-9](?:PRO)?(?:$|[ _])|M8S ?(?:pro|max|plus)|M8SPRO|MINIM8S|MXQ|MX10$",
    r"|MX11|MK80\d|MK90\d|H8S$|S[789]00[ _]?(?:MAX|PRO)|Z28 ?pro|QK9|AS51\d$|GT-?King|GT1-?mini|K[I]{1,3}[ _-]?(?:PLUS|PRO)$|K[I]{3}$|XDS\w?\d|XLR3\d|NEO-[XZ]\d",
    r"|VIM\d$|VMP-?\d|R68 ?II|TR99|TOX\d$|ATOM-\d{3}|J-LINK|LEX[_-]\d|QS02$|SBX\d|ABX-\d|AN-232$|IP-[78]0 MAX|RED [19]0$|EVPAD|XS100|AS1_HD",
    r"|UGOOS|TANIX|BEELINK|ME-?COOL|MINIX|ZIDOO|VONTAR|VORKE|ROMBICA|ICONBIT (?:movie|XDS|XLR)|FORMULER|TRANSPEED|HIREMCO|ORBSMART|PENDOO|XGODY|SKYSTREAM|DREAMSTAR",
    r"|SELENGA|OZONEHD|NEXON|FUNDROID|WIWA|MATADOR|NOGAPC|PERFEO|INVIN[ _]|EAGLE (?:GOLD|ELITE|CLASSIC)|ALLWINNER|VEGA S95|SUNWELL|PIPO_X|RKM",
    r"|VINABOX|VIBOX|MBOX|NEXBOX|NETBOX|TECHNOSAT|SILELIS|GLOBMALL|SOULLINK|ARTLINE|PANODIC|CVTE|DIGIFORS|ANDOWL|SWITRON|PATH_7X|LIMET95|YOUWEI|GI (?:UNI|FLY|ITV)|POLARLINE|WZONE",
    r"|NEXUS PLAYER|\w*STREAMER|\w*STREAMING|\w*STICK|ONN\.|SHIELD ANDROID|ADT-\d|DREAM PLAYER|MEDIA ?PLAYER)",
));

/// Returns `stb` for a set-top box, `tv` for a television, and `None` for any other user agent.
pub(super) fn class(user_agent: &str, system: Option<&str>) -> Option<&'static str> {
    if matches!(system, Some("Windows" | "macOS" | "iOS" | "iPadOS")) {
        return CERTAIN.is_in(user_agent).then_some("tv");
    }
    if SYSTEMS_OF_SETS.is_in(user_agent) {
        return Some("tv");
    }
    if BOXES.is_in(user_agent) {
        return Some("stb");
    }
    if CERTAIN.is_in(user_agent) || SETS.is_in(user_agent) {
        return Some("tv");
    }
    if let Some(model) = model(user_agent) {
        return class_of_model(model).or_else(|| BUILDS.is_in(user_agent).then_some("tv"));
    }
    if let Some(connection) = SIGNATURE.first(user_agent) {
        // Televisions usually have a wireless connection, whereas boxes usually have a wired connection.
        return Some(if connection.eq_ignore_ascii_case("wireless") { "tv" } else { "stb" });
    }
    (EMBEDDED.is_in(user_agent) && !DESKTOP.is_in(user_agent)).then_some("stb")
}

/// Returns `stb` for the model of a set-top box, `tv` for the model of a television, and `None` for any other model.
pub(super) fn class_of_model(model: &str) -> Option<&'static str> {
    if BOX_MODELS.is_in(model) {
        Some("stb")
    } else {
        (SETS.is_in(model) || SET_MODELS.is_in(model) || STREAMERS.is_in(model)).then_some("tv")
    }
}

/// Returns the device model in a user agent of Android.
pub(super) fn model(user_agent: &str) -> Option<&str> {
    let model = MODEL.first(user_agent)?;
    let end = model.find("Build/").or_else(|| model.find(" AppleWebKit")).unwrap_or(model.len());
    Some(model[..end].trim()).filter(|model| !model.is_empty() && *model != "wv")
}

#[cfg(test)]
pub(super) static PATTERNS: [&Pattern; 12] = [
    &CERTAIN,
    &SYSTEMS_OF_SETS,
    &BOXES,
    &SETS,
    &SIGNATURE,
    &EMBEDDED,
    &DESKTOP,
    &MODEL,
    &BOX_MODELS,
    &SET_MODELS,
    &STREAMERS,
    &BUILDS,
];
