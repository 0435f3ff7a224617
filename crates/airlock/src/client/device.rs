//! Determines the device class from a user agent.

use super::OTHER;
use super::pattern::{Pattern, words};
use super::television::{class, class_of_model, model};

/// Crawlers and other programs that do not play media. ua-parser classifies further programs as spiders.
static BOTS: Pattern = Pattern::new(concat!(
    r"HeadlessChrome|PhantomJS|\b(?:curl|Wget|aiohttp|axios|Scrapy|Java|Lighthouse)/|python-(?:requests|httpx)|Python-urllib",
    r"|Go-http-client|Apache-HttpClient|libwww-perl|node-fetch|facebookexternal|meta-external|RuxitSynthetic|DuplexWeb-Google",
    r"|(?i:crawler|spider|scraper|scanner|validator|healthcheck|health-check|link.?check|site.?audit|feedfetcher|archiver)",
    r"|(?:bot|Bot)(?:/|[;)]|$)|Google-(?:InspectionTool|Adwords|Shopping|Read|Site|Cloud|Pinpoint|adstxt)|GoogleOther",
    r"|\+https?://|compatible; [^()]*https?://",
));

/// Headsets, watches, speakers, cars and other devices. The catalogue contains no classes for them.
static OTHERS: Pattern = Pattern::new(concat!(
    r"Oculus|; Pacific(?:\)| Build/)|Standalone HMD|\bSM-I\d{3}|Android ?XR\b|Steam Frame|\bQuest(?: \d\w?| Pro)?(?:\)|;| Build/)|VR Safari|\bVR;|PicoBrowser|\bP[Ii][Cc][Oo][ _](?:Neo|G\d|4|A\d)|(?:^|; ?|PICO |Pico )A(?:7[BHQ]1|8[12][1-9E]|8E5|92[1-9])0(?:\)|;| Build/)|Wolvic|\b(?i:vive)\b|HoloLens",
    r"|Lenovo VR|\bVRX\b|VR-1541F|Mirage Solo|ThinkReality|Magic ?Leap|\(Lumin\b|\bLynx[ -]R1|\bXREAL\b|\bNreal\b|\bRokid\b|DPVR|DeePoon|Varjo|Pimax|Play ?For ?Dream|\bQIYU\b",
    r"|Apple Vision|RealityDevice|xrOS|visionOS|\bVision Pro|Watch ?OS|Apple ?Watch|watchOS|Wear ?OS|\bSM-R\d{3}|[Ww]atch\b[^;)]* Build/|\bG Watch|TicWatch|Gear (?:Live|S|Fit)",
    r"|DeviceType/SmartSpeaker|Fuchsia|HomePod|AudioAccessory|\bSonos/|AlexaMediaPlayer|\bEcho[_ ]|\bAEO[A-Z]{2}\b|Google ?Nest ?Hub|\bPortal(?:Go|\+| TV| Mini)?\)|FamilyHub|Family ?Hub",
    r"|\bTesla/|QtCarBrowser|CarPlay|Android ?Auto|AndroidAutomotive",
));

/// Game consoles that run Android or Linux.
static CONSOLES: Pattern = Pattern::new(
    r"Steam Deck|Valve Steam (?:Client|GameOverlay)|; (?:Switch(?: OLED| Lite)?|RG(?:28|34|35|40|50|55)\w*|Retroid[^;)]*|OUYA|SHIELD|Razer Edge[^;)]*|ARCHOS GAMEPAD\d?)(?: Build/[^)]*)?[;)]",
);

/// Feature phones, and smartphones with systems other than Android and iOS.
static PHONES: Pattern = Pattern::new(
    r"Windows Phone|IEMobile|\bwds \d|BlackBerry|\(BB10|Symb(?:ian|OS)|Series ?[46]0|MIDP|CLDC|MAUI|\bMRE\b|UP\.Browser|SEMC-Browser|Bada/|\bBREW\b|MTK; Nucleus|Lumia|Palm|PlayBook",
);

/// Names and models of tablets. They are needed for two reasons. Some tablets send `Mobile`, and players that are not
/// browsers omit `Mobile` even on phones.
static TABLETS: Pattern = Pattern::new(
    r"\b(?i:tablet|tab\b|tab ?\d|mediapad|matepad|ipad)|[Pp]ad\b|\bPAD\b|\bSM-[TPX]\d|\bGT-P\d|\bTB-?\w?\d|\bNexus (?:7|9|10)\b|Pixel (?:C|Tablet)\b|Xoom|Kindle",
);

/// Names and models of Android phones.
static PHONE_MODELS: Pattern = Pattern::new(concat!(
    r"^(?:SAMSUNG[- ])?SM-[ACEFGJMNSW]\d|^(?:SAMSUNG[- ])?SHV-E|^(?:Google )?Pixel \d|^(?i:redmi|poco|moto|oneplus|nokia|htc|huawei [a-z]{3}-|infinix|tecno|itel|realme|vivo|honor [a-z]{3}-|sony ?ericsson|asus_[xzai])",
    r"|^(?:CPH|RMX|PEX|XQ-|V)\d{4}|^M2\d{3}[A-Z]|^2[0-9]{4,}[A-Z]|^LG-?[A-Z]{1,2}\d{3}|^LM-|^Mi \d|^MI \d",
));

/// Returns the device class of an Amazon model. `AFT…` models are streaming sticks and televisions, and `KF…` models
/// are tablets.
pub(super) fn amazon(user_agent: &str) -> Option<&'static str> {
    // After a hyphen, these letters may be part of the model name of another maker.
    let is_whole = |after: &str, prefix: &str| {
        let before = &user_agent.as_bytes()[..user_agent.len() - after.len() - prefix.len()];
        before.last() != Some(&b'-')
    };
    let model = |prefix| {
        words(user_agent, prefix).any(|after| {
            is_whole(after, prefix) && after.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
        })
    };
    if model("AFT") {
        Some("tv")
    } else if model("KF") {
        Some("tablet")
    } else {
        None
    }
}

/// Returns the device class for the model in a client hint, or `None` if the model is not recognised.
pub(super) fn of_model(model: &str) -> Option<&'static str> {
    if OTHERS.is_in(&format!("{model})")) {
        return Some(OTHER);
    }
    amazon(model).or_else(|| class_of_model(model))
}

/// Returns the device class for a user agent. `family` is the device family that ua-parser found. Returns `None` if the
/// user agent does not determine the class, and [`OTHER`] if the catalogue does not contain the class.
pub(super) fn device(user_agent: &str, family: &str, system: Option<&'static str>) -> Option<&'static str> {
    if family == "Spider" || BOTS.is_in(user_agent) {
        return Some("bot");
    }
    if OTHERS.is_in(user_agent) {
        return Some(OTHER);
    }
    if let Some(class) = amazon(user_agent) {
        return Some(class);
    }
    match system {
        Some("PlayStation" | "Xbox" | "Nintendo") => return Some("console"),
        // Set-top boxes with these systems seldom identify themselves as boxes. Therefore all devices with these
        // systems are classified as televisions.
        Some("tvOS" | "Roku" | "VIDAA") => return Some("tv"),
        _ if CONSOLES.is_in(user_agent) => return Some("console"),
        _ => {}
    }
    if let Some(class) = class(user_agent, system) {
        return Some(class);
    }
    if PHONES.is_in(user_agent) {
        return Some("phone");
    }
    // Players that are not browsers omit `Mobile` even on phones.
    let browser = super::players::has_form_of_browser(user_agent);
    let contains = |part: &str| user_agent.contains(part);
    Some(match system? {
        "Tizen" | "webOS" if !contains("Mobile") => "tv",
        "iPadOS" => "tablet",
        "iOS" if family == "iPad" => "tablet",
        "iOS" if browser || contains("iPhone") || contains("iPod") => "phone",
        "iOS" => return None,
        "KaiOS" => "phone",
        "HarmonyOS" if contains("(PC;") || contains("(2in1;") => "desktop",
        "HarmonyOS" if contains("(TV;") => "tv",
        "Android" | "HarmonyOS" if family == "Generic Tablet" || model(user_agent).is_some_and(is_tablet) => {
            "tablet"
        }
        "Android" | "HarmonyOS" | "Tizen" | "webOS" if contains("Mobile") => "phone",
        "Android" if model(user_agent).is_some_and(|model| PHONE_MODELS.is_in(model)) => "phone",
        "Android" | "HarmonyOS" if browser => "tablet",
        // In its desktop mode, the Silk browser sends the same user agent on tablets and on televisions.
        "Android" | "HarmonyOS" | "Fire OS" => return None,
        "Windows" | "macOS" | "Linux" | "ChromeOS" => "desktop",
        _ if contains("X11;") => "desktop",
        _ => OTHER,
    })
}

fn is_tablet(model: &str) -> bool {
    TABLETS.is_in(model)
}

#[cfg(test)]
pub(super) static PATTERNS: [&Pattern; 6] = [&BOTS, &OTHERS, &CONSOLES, &PHONES, &TABLETS, &PHONE_MODELS];
