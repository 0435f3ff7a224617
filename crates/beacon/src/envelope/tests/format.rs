//! Tests the format of packed records and the limits of a packer.

use super::*;
use crate::{LogFields, Number};

fn parsed(http: &Http<'_>, body: &Body<'_>) -> Parsed {
    let mut parsed = Parsed::default();
    assert_eq!(
        parsed.add_all(&mut Reader::new(fields()).with_log(Arc::new(LogFields::default())), http, body),
        0
    );
    parsed
}

/// If this test fails because a field was added, increase [`VERSION`].
#[test]
fn numbers_of_fields_do_not_change_without_a_new_version() {
    let name = |index| Field::all().find(|field: &Field| field.index() == index).map_or("-", Field::name);
    let names: Vec<_> = (0..Field::COUNT).map(name).collect();
    let expect = "tenant session ip event user_agent error state \
         country region asn - device os browser os_version browser_version firmware player player_version app \
         app_version stream format content cdn connection - error_code \
         custom_dimension custom_dimension custom_dimension custom_dimension custom_dimension custom_dimension \
         ts sequence height buffer_ms \
         - - - - playing_ms stalled_ms stalls dropped_frames switches switches_up switches_down seeks seeking_ms - - \
         startup_ms bandwidth_kbps bitrate_kbps live_latency_ms ttfb_ms fatal opt_out";
    assert_eq!(names.join(" "), expect);
}

#[test]
fn format_does_not_change_without_a_new_version() {
    let mut packer = Packer::default();
    let http = Http {
        received_at: Some(Timestamp::from_millis(1_795_308_528_421)),
        address: Some("192.0.2.1".into()),
        model: Some("m".into()),
        dnt: true,
        endpoint: 7,
        ..Http::default()
    };
    let body = br#"{"session":"s","os":"a","event":"play","height":9,"ip":"192.0.2.2"}{"session":"s","os":"a","event":"play","height":-1}"#;
    let parsed = parsed(&http, &Body::Json(body));
    assert!(packer.is_empty());
    assert!(packer.push(&http, &parsed, 0..2));
    let os = 1 << Text::Of(crowdfold_model::Dimension::Os).index() | 1 << Text::Session.index();
    let mut expect = vec![2, 0, DNT | HAS_TIME | HAS_ADDRESS | HAS_CLIENT | HAS_ENDPOINT, 253];
    expect.extend(1_795_308_528_421_u64.to_le_bytes());
    expect.extend(b"\x09192.0.2.1\x01\x07\x00\x00\x00\x00\x00\x02m\x07\x02");
    expect.extend([0, 1 << 5 | 1, 18]);
    expect.extend(b"\x01\x04play");
    varint::write(os, &mut expect);
    expect.extend(b"\x01s\x01\x01a");
    expect.push(MORE | REPEATS);
    varint::write(1 << (Text::COUNT + Number::Height.index()), &mut expect);
    expect.extend([0, 1, 2]);
    assert_eq!(packer.take(), expect, "a change of the format needs another version");
    assert!(packer.is_empty() && packer.len() == 2, "the packer is ready for the next record");
}

#[test]
fn request_that_a_reader_rejects_is_not_packed() {
    let mut packer = Packer::default();
    let good = parsed(Http::NONE, &Body::Json(br#"{"session":"s","content":"c"}"#));
    assert!(!packer.push(Http::NONE, &good, 0..0), "no beacon");
    assert!(!packer.push(Http::NONE, &good, 1..2), "no such beacon");
    let at = |millis: u64| Http { received_at: Some(Timestamp::from_millis(millis)), ..Http::default() };
    assert!(!packer.push(&at(1 << 53), &good, 0..1), "2^53");
    assert!(packer.is_empty(), "the packer is unchanged");
    assert!(packer.push(&at((1 << 53) - 1), &good, 0..1));
    let before = packer.len();
    let long = format!(r#"{{"session":"s","cdn":"n","content":"{}"}}"#, "x".repeat(LONGEST));
    assert!(!packer.push(Http::NONE, &parsed(Http::NONE, &Body::Json(long.as_bytes())), 0..1), "too long");
    assert_eq!(packer.len(), before);
    // The text `n` was listed in the removed request, so it must be listed again.
    let next = parsed(Http::NONE, &Body::Json(br#"{"session":"s","cdn":"n","content":"c"}"#));
    assert!(packer.push(Http::NONE, &next, 0..1));
    let read = unpacked(&packer.take());
    assert_eq!(read.len(), 2);
    assert!(read[1].as_ref().unwrap().contains(r#"Of(Cdn)="n""#), "{read:?}");
}

#[test]
fn packed_beacon_is_shorter_if_its_texts_occurred_before() {
    let mut packer = Packer::default();
    let body = br#"{"session":"s","content":"a long name of a film","os":"Windows"}"#;
    let parsed = parsed(Http::NONE, &Body::Json(body));
    let lengths: Vec<_> = (0..3)
        .map(|_| {
            let before = packer.len();
            assert!(packer.push(Http::NONE, &parsed, 0..1));
            packer.len() - before
        })
        .collect();
    assert!(lengths[0] > 35 && lengths[1] < 16 && lengths[2] == lengths[1], "{lengths:?}");
    drop(packer.take());
    assert!(packer.push(Http::NONE, &parsed, 0..1));
    assert_eq!(packer.len() - 2, lengths[0], "the texts of another record are not used");
}

#[test]
fn more_texts_than_a_record_may_list_are_read() {
    let mut packer = Packer::default();
    let count = usize::from(MOST_LISTED) + 100;
    let body: String = (0..count).map(|nth| format!(r#"{{"session":"s","content":"c{nth}"}}"#)).collect();
    let parsed = parsed(Http::NONE, &Body::Json(body.as_bytes()));
    assert!(packer.push(Http::NONE, &parsed, 0..count));
    let read = unpacked(&packer.take());
    assert_eq!(read.len(), count);
    let content = format!(r#"Of(Content)="c{}""#, count - 1);
    assert!(read[count - 1].as_ref().unwrap().contains(&content));
}

#[test]
fn custom_dimensions_are_found_by_their_source() {
    let body = br#"{"session":"s","arm":"a","plan":"p"}"#;
    let mut packer = Packer::new(&fields());
    assert!(packer.push(Http::NONE, &parsed(Http::NONE, &Body::Json(body)), 0..1));
    let record = packer.take();
    let read = |sources: &[CustomSource]| {
        let fields = Fields::with_custom(&BTreeMap::new(), sources).unwrap();
        unpacked_with(Arc::new(fields), &record).remove(0).unwrap()
    };
    let sources = custom_sources();
    assert!(read(&sources).contains(r#"Custom(0)="a", Custom(1)="p""#));
    let reversed = read(&[sources[1].clone(), sources[0].clone()]);
    assert!(reversed.contains(r#"Custom(0)="p", Custom(1)="a""#), "{reversed}");
    let one = read(&sources[1..]);
    assert!(one.contains(r#"Custom(0)="p""#) && !one.contains("Custom(1)"), "{one}");
    assert!(!read(&[]).contains("Custom"), "the worker has no custom dimensions");
}

#[test]
fn sources_with_equal_fnv_hashes_are_different() {
    let source = |path: &str| [CustomSource { json: Some(vec![path.into()]), cmcd: None, log: None }];
    let fields = |path| Arc::new(Fields::with_custom(&BTreeMap::new(), &source(path)).unwrap());
    let mut parsed = Parsed::default();
    let body = Body::Json(br#"{"session":"s","glbvs":"a"}"#);
    parsed.add_all(&mut Reader::new(fields("glbvs")), Http::NONE, &body);
    let mut packer = Packer::new(&fields("glbvs"));
    assert!(packer.push(Http::NONE, &parsed, 0..1));
    let record = packer.take();
    let read = |path| unpacked_with(fields(path), &record).remove(0).unwrap();
    assert!(read("glbvs").contains(r#"Custom(0)="a""#));
    assert!(!read("yacxa").contains("Custom"), "the 32-bit FNV-1a hashes of both paths are equal");
}

#[test]
fn opt_out_contains_only_session_tenant_and_time() {
    let mut parsed = Parsed::default();
    parsed.add_withdrawal("\"quoted\"\\\n\u{1}", Some("acme"), Timestamp::from_millis(1_795_308_528_421));
    parsed.add_withdrawal("s", None, Timestamp::from_millis(1));
    let mut packer = Packer::default();
    assert!(packer.push(Http::NONE, &parsed, 0..2));
    let read: Vec<_> = unpacked(&packer.take()).into_iter().map(Result::unwrap).collect();
    let all = "Ts=Amount { halves: 3590617056842 }, Tenant=\"acme\", Session=\"\\\"quoted\\\"\\\\\\n\\u{1}\"";
    assert!(read[0].contains(&format!("Json {all}; [false, true, false, false] [] []")), "{}", read[0]);
    assert!(read[1].contains("Json Ts=Amount { halves: 2 }, Session=\"s\"; [false, true,"), "{}", read[1]);
}
