use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_model::{CustomSource, Timestamp};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::{Beacon, Body, Field, Fields, Form, Http, ReadError, Reader};

mod damage;
mod format;

/// The content of a request: its HTTP context without the time, and its body.
#[derive(Clone, Debug)]
struct Request {
    received_at: Option<u64>,
    texts: [Option<String>; 8],
    endpoint: u32,
    signals: (bool, bool),
    body: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Json(String),
    Events(String),
    Query(String),
    Headers([Option<String>; 4]),
}

impl Request {
    fn http(&self) -> Http<'_> {
        let text = |at: usize| self.texts[at].as_deref().map(Cow::Borrowed);
        Http {
            received_at: self.received_at.map(Timestamp::from_millis),
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
        }
    }

    fn body(&self) -> Body<'_> {
        match &self.body {
            Content::Json(body) => Body::Json(body.as_bytes()),
            Content::Events(body) => Body::Events(body.as_bytes()),
            Content::Query(query) => Body::Query(query.as_bytes()),
            Content::Headers(parts) => {
                Body::Headers(parts.each_ref().map(|part| part.as_deref().map(str::as_bytes)))
            }
        }
    }
}

fn summary_of(http: &Http<'_>) -> String {
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
    format!("{:?} {texts:?} {} {} {}", http.received_at, http.endpoint, http.gpc, http.dnt)
}

/// Returns all values of a beacon and of its HTTP context. The address in the beacon is left out if the context has one.
fn summary(http: &Http<'_>, beacon: &Beacon<'_>) -> String {
    let values: Vec<_> = Field::all()
        .filter(|field| http.address.is_none() || *field != Field::Text(Text::Ip))
        .filter_map(|field| match field {
            Field::Text(text) => beacon.text(text).map(|value| format!("{text:?}={value:?}")),
            Field::Number(number) => beacon.number(number).map(|value| format!("{number:?}={value:?}")),
            Field::Fatal | Field::OptOut => None,
        })
        .collect();
    let flags = [beacon.fatal, beacon.opt_out, beacon.batched, beacon.media];
    let ignored: Vec<_> = beacon.ignored().map(Field::name).collect();
    let codes: Vec<_> = beacon.more_errors().collect();
    let values = values.join(", ");
    format!("{} {:?} {values}; {flags:?} {ignored:?} {codes:?}", summary_of(http), beacon.mode)
}

fn custom_sources() -> Vec<CustomSource> {
    let of = |json: &str, cmcd: &str| CustomSource {
        json: Some(vec![json.to_owned()]),
        cmcd: Some(cmcd.to_owned()),
        log: None,
    };
    vec![of("arm", "com.example-arm"), of("plan", "com.example-plan")]
}

fn fields() -> Arc<Fields> {
    Arc::new(Fields::with_custom(&BTreeMap::new(), &custom_sources()).unwrap())
}

/// Returns the summary of each beacon in a record, or its error.
fn unpacked_with(fields: Arc<Fields>, record: &[u8]) -> Vec<Result<String, ReadError>> {
    let mut all = Vec::new();
    Reader::new(fields).read(Form::Envelope, record, &mut |http, beacon| {
        all.push(beacon.map(|beacon| summary(http, beacon)));
    });
    all
}

fn unpacked(record: &[u8]) -> Vec<Result<String, ReadError>> {
    unpacked_with(fields(), record)
}

/// Returns a packed record, the summaries of the beacons that were packed, and the position after each request.
fn packed(all: &[Request]) -> (Vec<u8>, Vec<String>, Vec<usize>) {
    let mut reader = Reader::new(fields());
    let mut packer = Packer::new(&fields());
    let (mut summaries, mut ends) = (Vec::new(), Vec::new());
    let mut parsed = Parsed::default();
    for request in all {
        let http = request.http();
        parsed.clear();
        reader.read_body(&request.body(), &mut |read| {
            summaries.extend(read.map(|beacon| summary(&http, beacon)));
        });
        let bad = parsed.add_all(&mut reader, &http, &request.body());
        assert_eq!(packer.push(&http, &parsed, 0..parsed.len()), !parsed.is_empty(), "{bad} bad beacons");
        ends.push(packer.len());
    }
    (packer.take(), summaries, ends)
}

/// Returns the value of a JSON field. It may be unusable.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\"[a-c]{1,3}\"",
        2 => (0..3_000_u64).prop_map(|number| number.to_string()),
        1 => (0..1_u64 << 60).prop_map(|number| number.to_string()),
        1 => Just("2.5".to_owned()),
        1 => "\"[ -~]{0,6}\"".prop_filter("a JSON string", |text| serde_json::from_str::<String>(text).is_ok()),
        1 => prop::sample::select(vec!["null", "true", "\"yes\"", "[]", "{}", "-1", "\"a\\u00e9\\n\"", "\"\\ud83d\""])
            .prop_map(str::to_owned),
    ]
}

fn json() -> impl Strategy<Value = String> {
    let names: Vec<&str> = Fields::names().chain(["arm", "plan"]).collect();
    let member =
        (prop::sample::select(names), value()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let beacon =
        prop::collection::vec(member, 0..12).prop_map(|members| format!("{{{}}}", members.join(",")));
    let session = (prop::sample::select(vec!["s", "t"]), beacon).prop_map(|(session, beacon)| {
        beacon.replacen('{', &format!("{{\"session\":\"{session}\","), 1).replace(",}", "}")
    });
    // A beacon is often repeated with another time.
    let repeated = session.prop_flat_map(|beacon| {
        (1..4_usize).prop_map(move |times| {
            let beacon =
                |nth| beacon.replace("}", &format!(",\"ts\":{}}}", 1_795_308_528_421_u64 + nth as u64));
            (0..times).map(beacon).collect::<Vec<_>>().join("\n")
        })
    });
    prop::collection::vec(prop_oneof![4 => repeated, 1 => Just("{\"ts\":nan}".to_owned())], 1..4)
        .prop_map(|beacons| beacons.join("\n"))
}

fn cmcd() -> impl Strategy<Value = String> {
    let keys = [
        "sid",
        "cid",
        "ts",
        "sn",
        "e",
        "sta",
        "sf",
        "st",
        "ec",
        "ot",
        "v",
        "br",
        "mtp",
        "bl",
        "pt",
        "com.example-arm",
    ];
    let value = prop::sample::select(vec![
        "\"a\"",
        "\"b\"",
        "p",
        "s",
        "v",
        "h",
        "t",
        "rr",
        "1",
        "2",
        "2000",
        "1795308528421",
        "(\"1\" \"2\")",
        "(300;v)",
        "\"\\\"x\"",
        "?0",
        "-3",
        "2.5",
    ]);
    let member =
        (prop::sample::select(keys.to_vec()), value).prop_map(|(key, value)| format!("{key}={value}"));
    prop::collection::vec(member, 1..10).prop_map(|members| members.join(","))
}

fn request() -> impl Strategy<Value = Request> {
    let body = prop_oneof![
        4 => json().prop_map(Content::Json),
        2 => prop::collection::vec(cmcd(), 1..5).prop_map(|lines| Content::Events(lines.join("\n"))),
        1 => cmcd().prop_map(|query| Content::Query(query.replace('"', "%22").replace(' ', "%20"))),
        1 => prop::array::uniform4(option::of(cmcd())).prop_map(Content::Headers),
    ];
    let texts = prop::array::uniform8(option::of(prop_oneof!["[ab]", ".{0,20}"]));
    (option::of(0..1_u64 << 53), texts, any::<u32>(), any::<(bool, bool)>(), body).prop_map(
        |(received_at, texts, endpoint, signals, body)| Request {
            received_at,
            texts,
            endpoint,
            signals,
            body,
        },
    )
}

proptest! {
    #[test]
    fn unpacked_beacons_equal_the_parsed_beacons(all in prop::collection::vec(request(), 1..8)) {
        let (record, summaries, _) = packed(&all);
        let read = unpacked(&record);
        if summaries.is_empty() {
            prop_assert_eq!(read, [Err(ReadError::Malformed)]);
        } else {
            prop_assert_eq!(read, summaries.into_iter().map(Ok).collect::<Vec<_>>());
        }
    }
}
