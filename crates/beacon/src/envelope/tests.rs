use proptest::option;
use proptest::prelude::*;

use super::*;

/// The content of a request, in a form that tests can compare.
#[derive(Clone, Debug, PartialEq)]
struct Request {
    received_at: Option<Timestamp>,
    texts: [Option<String>; 8],
    endpoint: u32,
    signals: (bool, bool),
    kind: usize,
    body: [Option<Vec<u8>>; 4],
}

impl Request {
    fn of(http: &Http<'_>, body: &Body<'_>) -> Self {
        let texts = [
            &http.address,
            &http.tenant,
            &http.user_agent,
            &http.brands,
            &http.platform,
            &http.platform_version,
            &http.mobile,
            &http.model,
        ];
        let one = |bytes: &[u8]| [Some(bytes.to_vec()), None, None, None];
        let (kind, body) = match body {
            Body::Json(bytes) => (0, one(bytes)),
            Body::Events(bytes) => (1, one(bytes)),
            Body::Query(bytes) => (2, one(bytes)),
            Body::Headers(parts) => (3, parts.map(|part| part.map(<[u8]>::to_vec))),
        };
        Self {
            received_at: http.received_at,
            texts: texts.map(|text| text.as_deref().map(str::to_owned)),
            endpoint: http.endpoint,
            signals: (http.gpc, http.dnt),
            kind,
            body,
        }
    }

    fn push(&self, packer: &mut Packer) -> bool {
        let text = |at: usize| self.texts[at].as_deref().map(Cow::Borrowed);
        let http = Http {
            received_at: self.received_at,
            address: text(0),
            tenant: text(1),
            user_agent: text(2),
            brands: text(3),
            platform: text(4),
            platform_version: text(5),
            mobile: text(6),
            model: text(7),
            gpc: self.signals.0,
            dnt: self.signals.1,
            endpoint: self.endpoint,
            ..Http::default()
        };
        let parts = self.body.each_ref().map(Option::as_deref);
        let one = parts[0].unwrap_or_default();
        packer.push(
            &http,
            &match self.kind {
                0 => Body::Json(one),
                1 => Body::Events(one),
                2 => Body::Query(one),
                _ => Body::Headers(parts),
            },
        )
    }
}

fn unpacked(record: &[u8]) -> Vec<Result<Request, Malformed>> {
    let mut all = Vec::new();
    unpack(record, &mut |request| all.push(request.map(|(http, body)| Request::of(&http, &body))));
    all
}

fn request() -> impl Strategy<Value = Request> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let body = prop_oneof![
        (0..3_usize, bytes()).prop_map(|(kind, one)| (kind, [Some(one), None, None, None])),
        [option::of(bytes()), option::of(bytes()), option::of(bytes()), option::of(bytes())]
            .prop_map(|parts| (3, parts)),
    ];
    let texts = prop::array::uniform8(option::of(".{0,20}"));
    (option::of(0..1_u64 << 53), texts, any::<u32>(), any::<(bool, bool)>(), body).prop_map(
        |(received_at, texts, endpoint, signals, (kind, body))| Request {
            received_at: received_at.map(Timestamp::from_millis),
            texts,
            endpoint,
            signals,
            kind,
            body,
        },
    )
}

/// Returns a packed record, and the position after each envelope in it.
fn packed(all: &[Request]) -> (Vec<u8>, Vec<usize>) {
    let mut packer = Packer::default();
    let mut ends = Vec::new();
    for request in all {
        assert!(request.push(&mut packer));
        ends.push(packer.len());
    }
    (packer.take(), ends)
}

proptest! {
    #[test]
    fn unpacked_requests_equal_the_packed_requests(all in prop::collection::vec(request(), 1..6)) {
        let (record, _) = packed(&all);
        let all: Vec<_> = all.into_iter().map(Ok).collect();
        prop_assert_eq!(unpacked(&record), all);
    }

    #[test]
    fn complete_requests_of_a_truncated_record_are_read_and_the_rest_is_one_error(all in prop::collection::vec(request(), 1..4)) {
        let (record, ends) = packed(&all);
        for length in 0..record.len() {
            let mut expect: Vec<_> =
                all.iter().zip(&ends).filter(|(_, end)| **end <= length).map(|(request, _)| Ok(request.clone())).collect();
            if expect.is_empty() || ends[expect.len() - 1] != length {
                expect.push(Err(Malformed));
            }
            prop_assert_eq!(unpacked(&record[..length]), expect, "cut to {}", length);
        }
    }

    #[test]
    fn unpacking_any_bytes_gives_at_least_one_outcome(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!unpacked(&bytes).is_empty());
        prop_assert!(!unpacked(&[&[VERSION], &bytes[..]].concat()).is_empty());
    }
}

fn json(received_at: Option<Timestamp>, body: &[u8]) -> (Http<'static>, Vec<u8>) {
    (Http { received_at, ..Http::default() }, body.to_vec())
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
    assert!(packer.is_empty());
    assert!(packer.push(&http, &Body::Headers([None, Some(b"su"), None, None])));
    let mut expect = vec![1, 1, 253];
    expect.extend(1_795_308_528_421_u64.to_le_bytes());
    expect.extend(
        b"\x01\x09192.0.2.1\x00\x00\x01\x00\x00\x00\x00\x01\x01m\x07\x00\x01\x03\x00\x01\x02su\x00\x00",
    );
    assert_eq!(packer.take(), expect, "a change of the format needs another version");
    assert!(packer.is_empty() && packer.len() == 1, "the packer is ready for the next record");
}

#[test]
fn unknown_versions_and_empty_records_are_malformed() {
    let (http, body) = json(None, b"{}");
    let mut packer = Packer::default();
    assert!(packer.push(&http, &Body::Json(&body)));
    let mut record = packer.take();
    assert_eq!(unpacked(&record).len(), 1);
    record[0] = VERSION + 1;
    for record in [&record[..], &[], &[VERSION], &[VERSION + 1]] {
        assert_eq!(unpacked(record), [Err(Malformed)]);
    }
}

#[test]
fn impossible_time_of_receipt_is_not_packed_and_is_malformed_in_a_record() {
    let mut packer = Packer::default();
    let good = |packer: &mut Packer| packer.push(&Http::default(), &Body::Json(b"{}"));
    assert!(good(&mut packer));
    assert!(!packer.push(&json(Some(Timestamp::from_millis(1 << 53)), b"").0, &Body::Json(b"{}")), "2^53");
    assert!(packer.push(&json(Some(Timestamp::from_millis((1 << 53) - 1)), b"").0, &Body::Json(b"{}")));
    assert!(good(&mut packer));
    let mut record = packer.take();
    let limit = ((1_u64 << 53) - 1).to_le_bytes();
    let at = record.windows(8).position(|bytes| bytes == limit).unwrap();
    record[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    let all = unpacked(&record);
    assert!(matches!(all[..], [Ok(_), Err(Malformed), Ok(_)]), "the other requests are read");
}

#[test]
fn request_that_a_reader_refuses_is_not_packed() {
    let mut packer = Packer::default();
    let long = vec![b'x'; LONGEST];
    assert!(!packer.push(&Http::default(), &Body::Json(&long)));
    assert!(packer.is_empty(), "the packer is unchanged");
    let (text, most) = (Some(Cow::Borrowed("")), &long[..LONGEST - 24]);
    let http =
        Http { received_at: Some(Timestamp::EPOCH), address: text.clone(), model: text, ..Http::default() };
    assert!(packer.push(&http, &Body::Json(most)));
    assert!(unpacked(&packer.take()).iter().all(Result::is_ok), "packed requests are readable");
}

/// The length in this record is four billion bytes. The decoder must not allocate this much memory.
#[test]
fn length_beyond_the_record_is_malformed_and_does_not_allocate() {
    let mut record = vec![VERSION, 1, 7, 1, 252];
    record.extend(u32::MAX.to_le_bytes());
    assert_eq!(unpacked(&record), [Err(Malformed)]);
}
