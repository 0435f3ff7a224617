use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;
use crowdfold_model::{CustomSource, Dimension, SumMetric, ValueMetric};

/// The fields without custom dimensions.
pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(|| Fields::new(&BTreeMap::new()).unwrap());

fn one(mode: Mode, line: &str) -> Result<Beacon<'_>, Malformed> {
    read(mode, &FIELDS, [line.as_bytes()])
}

fn number(beacon: &Beacon<'_>, field: Number) -> Option<u64> {
    beacon.number(field).map(Amount::rounded)
}

/// A record that dash.js 5.2.1 sent, with a replaced session id.
const DASH: &str = r#"ab=(800;v 64;a),bl=(5300;v 1300;a),br=(800;v 64;a),cid="big-news-live",d=2000,dl=1600,e=rr,lab=(250;v 64;a),mtp=(112200;v 13700;a),nor=("chunk-stream2-00003.mp4"),ot=a,pb=(800;v 64;a),rc=200,rtp=500,sf=d,sid="s-1",sn=10,st=v,sta=p,tpb=(867.654),ts=1795312469369,ttfb=1795312468393,url="http://127.0.0.1:8711/s/s11-4/media/x.mp4",v=2"#;

#[test]
fn record_of_a_real_player_is_read() {
    let Ok(beacon) = one(Mode::Event, DASH) else { panic!("malformed") };
    for (field, expect) in [
        (Text::Session, "s-1"),
        (Text::Of(Dimension::Content), "big-news-live"),
        (Text::Event, "rr"),
        (Text::Of(Dimension::Format), "d"),
        (Text::Of(Dimension::Stream), "v"),
        (Text::State, "p"),
    ] {
        assert_eq!(beacon.text(field), Some(expect));
    }
    assert_eq!(number(&beacon, Number::Ts), Some(1_795_312_469_369));
    assert_eq!(number(&beacon, Number::Sequence), Some(10));
    assert_eq!(number(&beacon, Number::Value(ValueMetric::BandwidthKbps)), Some(112_200));
    assert_eq!(number(&beacon, Number::Value(ValueMetric::BitrateKbps)), Some(800));
    assert_eq!(number(&beacon, Number::Value(ValueMetric::StartupMs)), None);
    assert!(!beacon.fatal);
}

#[test]
fn bitrate_of_an_audio_request_is_not_the_bitrate_of_the_picture() {
    let bitrate = |line: &str| {
        one(Mode::Request, line)
            .ok()
            .and_then(|beacon| number(&beacon, Number::Value(ValueMetric::BitrateKbps)))
    };
    for object in ["a", "i", "m", "o", "c", "tt", "k", "new", "\"a\"", "\"i\""] {
        assert_eq!(bitrate(&format!("br=316,ot={object}")), None, "{object}");
        assert_eq!(bitrate(&format!("ot={object},br=(316)")), None, "{object}");
    }
    assert_eq!(bitrate("br=(316;a 868;v),ot=a"), Some(868));
    assert_eq!(bitrate("br=(316;a),ot=v"), None);
    for object in ["v", "av", "\"v\"", "\"av\""] {
        assert_eq!(bitrate(&format!("br=868,ot={object}")), Some(868), "{object}");
    }
    // A value that is not an object type is ignored, so the bitrate is read.
    for object in ["5", "\"picture\"", "", "?1"] {
        assert_eq!(bitrate(&format!("br=868,ot={object}")), Some(868), "{object}");
    }
    assert_eq!(bitrate("br=868"), Some(868));
}

#[track_caller]
fn ignored(line: &str, expect: &[&str]) {
    let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed: {line}") };
    let mut names: Vec<_> = beacon.ignored().map(Field::name).collect();
    names.sort_unstable();
    assert_eq!(names, expect, "{line}");
}

#[test]
fn unusable_value_is_absent_and_recorded() {
    let line =
        r#"sid=?1,ts="soon",sn=-1,e=5,sta="x",sf="z",br=x,mtp=1795312468393,msd=86400001,dfa=1.5,v="1",bsa"#;
    let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed") };
    for field in [Text::Session, Text::Event, Text::Of(Dimension::Format), Text::State] {
        assert_eq!(beacon.text(field), None);
    }
    for field in [
        Number::Ts,
        Number::Sequence,
        Number::Value(ValueMetric::BitrateKbps),
        Number::Value(ValueMetric::BandwidthKbps),
        Number::Value(ValueMetric::StartupMs),
    ] {
        assert_eq!(number(&beacon, field), None);
    }
    assert_eq!(number(&beacon, Number::Sum(SumMetric::DroppedFrames)), Some(2));
    ignored(
        line,
        &[
            "bandwidth_kbps",
            "bitrate_kbps",
            "event",
            "format",
            "sequence",
            "session",
            "stalls",
            "startup_ms",
            "state",
            "ts",
        ],
    );
    ignored(r#"sid="s",unknown=<x>,nor=../a,1x=3,url=https://a"#, &[]);
}

#[test]
fn quotes_that_players_add_or_omit_do_not_change_a_value() {
    for (line, session) in [
        ("sid=3b2f6a10-5c1d-4f0e-9a77-6d1f2c3b4a5e", "3b2f6a10-5c1d-4f0e-9a77-6d1f2c3b4a5e"),
        ("sid=trace-id", "trace-id"),
        ("sid=12345", "12345"),
        ("sid=1e5", "1e5"),
        ("sid='s 1'", "s 1"),
        ("sid=10a4f4eddc49,br=5", "10a4f4eddc49"),
        (r#"sid="a\"b""#, "a\"b"),
    ] {
        let Ok(beacon) = one(Mode::Request, line) else { panic!("malformed: {line}") };
        assert_eq!(beacon.text(Text::Session), Some(session), "{line}");
    }
    let line = r#"e="ps",sta="p",sf="d",st="v",ts="1795312468393",mtp="5000",br=3.0e3,sn="7",v=2.0"#;
    let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed") };
    let texts = [Text::Event, Text::State, Text::Of(Dimension::Format), Text::Of(Dimension::Stream)]
        .map(|field| beacon.text(field));
    assert_eq!(texts, [Some("ps"), Some("p"), Some("d"), Some("v")]);
    let numbers = [
        Number::Ts,
        Number::Value(ValueMetric::BandwidthKbps),
        Number::Value(ValueMetric::BitrateKbps),
        Number::Sequence,
    ];
    let numbers = numbers.map(|field| number(&beacon, field));
    assert_eq!(numbers, [Some(1_795_312_468_393), Some(5_000), Some(3_000), Some(7)]);
}

#[test]
fn size_of_a_time_determines_its_unit() {
    for ts in ["1795312468393", "1795312468393000", "1795312468.393", "\"2026-11-22T01:54:28.393Z\""] {
        let line = format!("ts={ts}");
        let Ok(beacon) = one(Mode::Event, &line) else { panic!("malformed") };
        assert_eq!(number(&beacon, Number::Ts), Some(1_795_312_468_393), "{ts}");
    }
}

#[test]
fn json_object_of_the_first_version_is_read() {
    let line = r#"{"br": 3200, "bs": true, "cid": "movie \"1\"", "ot": "v", "sf": "d", "sid": "6e2fb550", "nor": ["x"], "su": false}"#;
    let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed") };
    let texts = [Text::Session, Text::Of(Dimension::Content), Text::Of(Dimension::Format)]
        .map(|field| beacon.text(field));
    assert_eq!(texts, [Some("6e2fb550"), Some("movie \"1\""), Some("d")]);
    assert_eq!(number(&beacon, Number::Value(ValueMetric::BitrateKbps)), Some(3_200));
    for bad in ["{}", "{\"sid\":\"a\"", "{\"sid\":\"a\"}x", "{sid:1}"] {
        assert!(one(Mode::Event, bad).is_err(), "{bad}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced_except_in_a_session() {
    let Ok(beacon) = read(Mode::Event, &FIELDS, [&b"cid=\"a\xff\",br=5,sid=\"s\""[..]]) else {
        panic!("malformed")
    };
    assert_eq!(beacon.text(Text::Of(Dimension::Content)), Some("a\u{fffd}"));
    assert_eq!(
        (beacon.text(Text::Session), number(&beacon, Number::Value(ValueMetric::BitrateKbps))),
        (Some("s"), Some(5))
    );
    let Ok(beacon) = read(Mode::Event, &FIELDS, [&b"cid=\"a\",sid=\"s\xff\""[..]]) else {
        panic!("malformed")
    };
    assert_eq!((beacon.text(Text::Session), beacon.text(Text::Of(Dimension::Content))), (None, Some("a")));
    assert!(beacon.has_ignored());
}

#[test]
fn stall_totals_of_video_are_used() {
    let totals = |line| {
        let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed") };
        [Number::Sum(SumMetric::Stalls), Number::Sum(SumMetric::StalledMs)]
            .map(|field| number(&beacon, field))
    };
    assert_eq!(totals("bsa=(2;v 3;a),bsda=(1250;v 1800;a)"), [Some(2), Some(1250)]);
    assert_eq!(totals("bsa=(3),bsda=(1800)"), [Some(3), Some(1800)]);
    assert_eq!(totals("bsa=(3;a),bsda=(86400001)"), [None, None]);
}

#[test]
fn last_value_of_a_repeated_key_counts_even_if_it_is_unusable() {
    let Ok(beacon) = one(
        Mode::Event,
        r#"msd=700,sta=p,sid="s",ec="27",ts=1795308528421,bsa=3,msd=900,sta=s,bsa=2,mtp=5,mtp=abc,sf=h,sf=?1"#,
    ) else {
        panic!("malformed")
    };
    assert_eq!(number(&beacon, Number::Value(ValueMetric::StartupMs)), Some(900));
    assert_eq!(
        (beacon.text(Text::State), number(&beacon, Number::Sum(SumMetric::Stalls))),
        (Some("s"), Some(2))
    );
    assert_eq!(
        (
            number(&beacon, Number::Value(ValueMetric::BandwidthKbps)),
            beacon.text(Text::Of(Dimension::Format))
        ),
        (None, None)
    );
    for line in ["msd=700,msd=-1", "msd=700,msd=x", "msd=700,msd=?0", "msd=700,msd=86400001", "msd=700,msd"] {
        let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed: {line}") };
        assert_eq!(number(&beacon, Number::Value(ValueMetric::StartupMs)), None, "{line}");
    }
    for line in [r#"sid="a",sid=?1"#, "sid=a,sid"] {
        let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed: {line}") };
        assert_eq!(beacon.text(Text::Session), None, "{line}");
    }
}

#[test]
fn time_to_first_byte_of_a_file_without_media_is_ignored() {
    let ttfb = |rest: &str| {
        let line = format!("e=rr,ttfb=80,{rest}");
        one(Mode::Event, &line).ok().and_then(|beacon| number(&beacon, Number::Value(ValueMetric::TtfbMs)))
    };
    for (rest, expect) in [
        (r#"url="https://a.example/movie/1.m4s""#, Some(80)),
        (r#"url="https://a.example/movie.mpd/1""#, Some(80)),
        (r#"url="movie/1.ts?from=live.mpd""#, Some(80)),
        ("v=2", Some(80)),
        (r#"url="https://a.example/live.mpd""#, None),
        (r#"url="https://a.example/LIVE.MPD?x=1.m4s#t=1.mp4""#, None),
        (r#"url="a/b.m3u8""#, None),
        (r#"url="captions.vtt""#, None),
        // An object type that is reported takes precedence.
        (r#"url="https://a.example/live.mpd",ot=v"#, Some(80)),
        (r#"url="https://a.example/1.m4s",ot=m"#, None),
    ] {
        assert_eq!(ttfb(rest), expect, "{rest}");
    }
}

#[test]
fn record_of_an_unsupported_version_keeps_its_session() {
    let supported = ["1", "2", "2.0", "-1", "\"2\"", "x", "?0", "(2 3)", "\"", ""];
    let unsupported = ["3", "2.5", "99", "1e300", "\"3\"", "(3 2)"];
    let supported = supported.map(|version| (version, Mode::Event));
    for (version, mode) in
        supported.into_iter().chain(unsupported.map(|version| (version, Mode::Unsupported)))
    {
        for line in [format!("v={version},sid=\"s\""), format!("sid=\"s\",v={version}")] {
            let beacon = one(Mode::Event, &line).unwrap_or_else(|_| panic!("{line}"));
            assert_eq!((beacon.text(Text::Session), beacon.mode), (Some("s"), mode), "{line}");
        }
    }
}

#[test]
fn first_error_code_of_a_record_is_stored() {
    let code =
        |line| one(Mode::Event, line).ok().and_then(|beacon| beacon.text(Text::Error).map(str::to_owned));
    assert_eq!(code("e=e,ec=27").as_deref(), Some("27"));
    assert_eq!(code(r#"ec=("404" "500")"#).as_deref(), Some("404"));
    assert_eq!(code(r#"ec="a\"b""#).as_deref(), Some("a\"b"));
    assert_eq!(code("e=e"), None);
    assert!(one(Mode::Event, "sta=f").is_ok_and(|beacon| beacon.fatal));
}

#[test]
fn error_codes_after_the_first_one_of_a_list_are_kept() {
    fn more(line: &str) -> Vec<String> {
        let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed") };
        beacon.more_errors().map(std::borrow::Cow::into_owned).collect()
    }
    assert_eq!(more("ec=27"), [""; 0]);
    assert_eq!(more(r#"ec=("404")"#), [""; 0]);
    assert_eq!(more(r#"ec=("404" "500"),sid="s""#), ["500"]);
    assert_eq!(
        more(r#"ec=("404";x=1 "a\"b" manifestError 4032 ?1 5.5)"#),
        ["a\"b", "manifestError", "4032", "5.5"]
    );
    assert_eq!(more(&format!("ec=({})", "1 ".repeat(100))), ["1"; 7]);
    assert_eq!(more(r#"ec=("404" "500"),ec="27""#), [""; 0], "the last member counts");
}

#[test]
fn cmcd_headers_of_a_request_form_one_record() {
    let parts = ["br=868,ot=v", "", r#"cid="c",sf=h,sid="s""#, "mtp=900,su"].map(str::as_bytes);
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let Ok(beacon) = read(Mode::Request, &FIELDS, parts) else { panic!("malformed") };
    assert_eq!(beacon.text(Text::Session), Some("s"));
    assert_eq!(number(&beacon, Number::Value(ValueMetric::BitrateKbps)), Some(868));
    let parts = [&b"br=868"[..], b"(", b"sid=\"s\",nor=/seg"];
    let Ok(beacon) = read(Mode::Request, &FIELDS, parts) else { panic!("malformed") };
    assert_eq!(
        (beacon.text(Text::Session), number(&beacon, Number::Value(ValueMetric::BitrateKbps))),
        (Some("s"), Some(868))
    );
    assert!(read(Mode::Request, &FIELDS, [b"(".as_slice(), b"=".as_slice()]).is_err());
}

#[test]
fn each_line_of_an_event_mode_body_is_one_record() {
    let count = |body: &str| {
        let mut outcomes = Vec::new();
        read_events(body.as_bytes(), &FIELDS, &mut { usize::MAX }, &mut |beacon| {
            outcomes.push(beacon.is_ok())
        });
        outcomes
    };
    assert_eq!(count("a=1\nb=2\n"), [true, true]);
    assert_eq!(count("a=1\r\n\n  \n{}\n=3\nb=\"ü\""), [true, false, false, true]);
    assert_eq!(count("\n"), [false]);
    assert_eq!(count("\u{feff}a=1\r\n"), [true]);
    assert_eq!(count("\u{feff}"), [false]);
    let mut errors = Vec::new();
    read_events(b"a=1\nb=2\nc=3\n", &FIELDS, &mut 2, &mut |beacon| errors.push(beacon.map(drop)));
    assert_eq!(errors, [Ok(()), Ok(()), Err(ReadError::TooMany)]);
}

#[test]
fn records_of_a_body_with_several_lines_are_batched() {
    let batched = |body: &str| {
        let mut batched = Vec::new();
        read_events(body.as_bytes(), &FIELDS, &mut { usize::MAX }, &mut |beacon| {
            batched.extend(beacon.map(|beacon| beacon.batched).ok());
        });
        batched
    };
    assert_eq!(batched("e=t\n"), [false]);
    assert_eq!(batched("\r\ne=t\r\n"), [false]);
    assert_eq!(batched("e=t\ne=ps"), [true, true]);
}

#[test]
fn registered_custom_keys_are_stored_as_dimensions_and_others_are_not_stored() {
    let line = r#"e=ps,sid="s",org.svta-p-n="hls.js",org.svta.p-v=1.6.2,org.svta-ap-n="Example TV",org.svta-u-i="u1",com.example-app="x""#;
    let beacon = one(Mode::Event, line).unwrap();
    let dimensions: Vec<_> = beacon.dimensions().collect();
    let expect =
        [(Dimension::Player, "hls.js"), (Dimension::PlayerVersion, "1.6.2"), (Dimension::App, "Example TV")];
    assert_eq!(dimensions, expect);
}

#[test]
fn configured_custom_keys_are_stored_as_custom_dimensions() {
    let source = |cmcd: &str| CustomSource { cmcd: Some(cmcd.into()), ..CustomSource::default() };
    let sources = [source("com.example-app"), source("com.example-plan")];
    let fields = Fields::with_custom(&BTreeMap::new(), &sources).unwrap();
    let line =
        br#"sid="s",com.example-plan=pro,com.example-app="x\"y",com.example-other="z",org.svta-p-n="hls.js""#;
    let custom = |line| {
        let beacon = read(Mode::Event, &fields, [line]).unwrap_or_else(|_| panic!("malformed"));
        let text = |source| beacon.text(Text::Custom(source)).map(str::to_owned);
        (text(0), text(1), beacon.has_custom(), beacon.dimensions().count())
    };
    assert_eq!(custom(&line[..]), (Some("x\"y".into()), Some("pro".into()), true, 1));
    // A record that is not UTF-8 is read from a copy.
    let line = b"sid=\"s\",com.example-plan=\"\xff\",com.example-app=\"a\"";
    assert_eq!(custom(&line[..]), (Some("a".into()), Some("\u{fffd}".into()), true, 0));
    assert_eq!(custom(&b"sid=\"s\",com.example-plan"[..]), (None, None, false, 0));
}
