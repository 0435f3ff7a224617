use super::*;

fn one(mode: Mode, line: &str) -> Result<Beacon<'_>, Malformed> {
    read(mode, [line.as_bytes()])
}

fn number(beacon: &Beacon<'_>, field: Number) -> Option<u64> {
    beacon.number(field).map(Amount::rounded)
}

/// As dash.js 5.2.1 sent it, but for the session.
const DASH: &str = r#"ab=(800;v 64;a),bl=(5300;v 1300;a),br=(800;v 64;a),cid="big-news-live",d=2000,dl=1600,e=rr,lab=(250;v 64;a),mtp=(112200;v 13700;a),nor=("chunk-stream2-00003.mp4"),ot=a,pb=(800;v 64;a),rc=200,rtp=500,sf=d,sid="s-1",sn=10,st=v,sta=p,tpb=(867.654),ts=1795312469369,ttfb=1795312468393,url="http://127.0.0.1:8711/s/s11-4/media/x.mp4",v=2"#;

#[test]
fn a_record_of_a_real_player() {
    let Ok(beacon) = one(Mode::Event, DASH) else { panic!("malformed") };
    for (field, expect) in [
        (Text::Session, "s-1"),
        (Text::Content, "big-news-live"),
        (Text::Event, "rr"),
        (Text::Format, "d"),
        (Text::Stream, "v"),
        (Text::State, "p"),
    ] {
        assert_eq!(beacon.text(field), Some(expect));
    }
    assert_eq!(number(&beacon, Number::Ts), Some(1_795_312_469_369));
    assert_eq!(number(&beacon, Number::Sequence), Some(10));
    assert_eq!(number(&beacon, Number::Bandwidth), Some(112_200));
    assert_eq!(number(&beacon, Number::Bitrate), Some(800));
    assert_eq!(number(&beacon, Number::Startup), None);
    assert!(!beacon.fatal);
}

#[test]
fn what_audio_requests_carry_is_no_bitrate_of_the_picture() {
    let bitrate =
        |line: &str| one(Mode::Request, line).ok().and_then(|beacon| number(&beacon, Number::Bitrate));
    assert_eq!(bitrate("br=316,ot=a"), None);
    assert_eq!(bitrate("br=(316),ot=a"), None);
    assert_eq!(bitrate("br=(316;a 868;v),ot=a"), Some(868));
    assert_eq!(bitrate("br=(316;a),ot=v"), None);
    for object in ["v", "av", "i", "m", "o"] {
        assert_eq!(bitrate(&format!("br=868,ot={object}")), Some(868));
    }
    assert_eq!(bitrate("br=868"), Some(868));
}

#[test]
fn wrong_types_and_impossible_numbers_are_as_if_not_sent() {
    let line =
        r#"sid=token,cid=5,ts="1",sn=-1,e="ps",sf="h",br="x",mtp=1795312468393,msd=86400001,dfa=1.5,v="9""#;
    let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed") };
    for field in [Text::Session, Text::Content, Text::Event, Text::Format] {
        assert_eq!(beacon.text(field), None);
    }
    for field in [Number::Ts, Number::Sequence, Number::Bitrate, Number::Bandwidth, Number::Startup] {
        assert_eq!(number(&beacon, field), None);
    }
    assert_eq!(number(&beacon, Number::DroppedFrames), Some(2));
}

#[test]
fn totals_of_stalls_are_those_of_the_picture() {
    let totals = |line| {
        let Ok(beacon) = one(Mode::Event, line) else { panic!("malformed") };
        [Number::Stalls, Number::Stalled].map(|field| number(&beacon, field))
    };
    assert_eq!(totals("bsa=(2;v 3;a),bsda=(1250;v 1800;a)"), [Some(2), Some(1250)]);
    assert_eq!(totals("bsa=(3),bsda=(1800)"), [Some(3), Some(1800)]);
    assert_eq!(totals("bsa=(3;a),bsda=(86400001)"), [None, None]);
}

#[test]
fn versions_beyond_the_known_are_dropped() {
    assert!(one(Mode::Event, "v=1").is_ok());
    assert!(one(Mode::Event, "v=2").is_ok());
    assert!(one(Mode::Event, "v=3").is_err());
}

#[test]
fn errors_are_kept_as_their_codes() {
    let code =
        |line| one(Mode::Event, line).ok().and_then(|beacon| beacon.text(Text::Error).map(str::to_owned));
    assert_eq!(code("e=e,ec=27").as_deref(), Some("27"));
    assert_eq!(code(r#"ec=("404" "500")"#).as_deref(), Some("404"));
    assert_eq!(code(r#"ec="a\"b""#).as_deref(), Some("a\"b"));
    assert_eq!(code("e=e"), None);
    assert!(one(Mode::Event, "sta=f").is_ok_and(|beacon| beacon.fatal));
}

#[test]
fn headers_are_one_record() {
    let parts = ["br=868,ot=v", "", r#"cid="c",sf=h,sid="s""#, "mtp=900,su"].map(str::as_bytes);
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let Ok(beacon) = read(Mode::Request, parts) else { panic!("malformed") };
    assert_eq!(beacon.text(Text::Session), Some("s"));
    assert_eq!(number(&beacon, Number::Bitrate), Some(868));
    assert!(read(Mode::Request, [b"br=868".as_slice(), b"(".as_slice()]).is_err());
}

#[test]
fn bodies_are_lines() {
    let count = |body: &str| {
        let mut verdicts = Vec::new();
        read_events(body.as_bytes(), &mut |beacon| verdicts.push(beacon.is_ok()));
        verdicts
    };
    assert_eq!(count("a=1\nb=2\n"), [true, true]);
    assert_eq!(count("a=1\r\n\n  \n{}\nv=3\nb=\"ü\""), [true, false, false, true]);
    assert_eq!(count("\n"), [false]);
}

#[test]
fn of_several_in_a_body_each_is_known_to_be_of_a_batch() {
    let batched = |body: &str| {
        let mut batched = Vec::new();
        read_events(body.as_bytes(), &mut |beacon| {
            batched.extend(beacon.map(|(beacon, _)| beacon.batched).ok());
        });
        batched
    };
    assert_eq!(batched("e=t\n"), [false]);
    assert_eq!(batched("\r\ne=t\r\n"), [false]);
    assert_eq!(batched("e=t\ne=ps"), [true, true]);
}
