//! Compares packed records with text for random requests: all outcomes and all counts of unusable values are equal.

use std::sync::LazyLock;

use crowdfold_airlock::{Airlock, Ignored, SessionHasher, Shared};
use crowdfold_model::Dimension;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;

/// A request with a body in one of the forms.
#[derive(Clone, Debug)]
struct Request {
    user_agent: Option<&'static str>,
    platform: Option<&'static str>,
    address: Option<&'static str>,
    tenant: Option<&'static str>,
    gpc: bool,
    form: usize,
    beacons: Vec<String>,
}

impl Request {
    fn http(&self) -> Http<'_> {
        Http {
            received_at: Some(Timestamp::from_millis(NOW)),
            address: self.address.map(Cow::Borrowed),
            tenant: self.tenant.map(Cow::Borrowed),
            user_agent: self.user_agent.map(Cow::Borrowed),
            platform: self.platform.map(Cow::Borrowed),
            gpc: self.gpc,
            endpoint: Http::endpoint_of(&self.path()).0,
            ..Http::default()
        }
    }

    fn path(&self) -> String {
        self.tenant.map_or("/x".to_owned(), |tenant| format!("/v1/cmcd/{tenant}"))
    }

    /// Returns the content of the request, encoded as its form requires.
    fn content(&self) -> String {
        match self.form {
            JSON | EVENTS => self.beacons.join("\n"),
            QUERY => self.beacons[0].bytes().map(|byte| format!("%{byte:02x}")).collect(),
            _ => self.beacons[0].clone(),
        }
    }

    fn body<'a>(&self, content: &'a str) -> Body<'a> {
        match self.form {
            JSON => Body::Json(content.as_bytes()),
            EVENTS => Body::Events(content.as_bytes()),
            QUERY => Body::Query(content.as_bytes()),
            _ => Body::Headers([None, Some(content.as_bytes()), None, None]),
        }
    }

    /// Returns the request as a captured request, for which the airlock parses text.
    fn line(&self) -> String {
        let mut headers = serde_json::Map::new();
        let mut add = |name: &str, value: Option<&str>| {
            headers.extend(value.map(|value| (name.to_owned(), Value::from(value))));
        };
        add("user-agent", self.user_agent);
        add("sec-ch-ua-platform", self.platform);
        add("sec-gpc", self.gpc.then_some("1"));
        let content = self.content();
        let (mut body, mut query) = (String::new(), String::new());
        match self.form {
            JSON => add("content-type", Some("application/json")),
            EVENTS => add("content-type", Some("application/cmcd")),
            QUERY => query = format!("CMCD={content}"),
            _ => add("cmcd-request", Some(&content)),
        }
        if self.form <= EVENTS {
            body = content;
        }
        let mut line = json!({"received_at_ms": NOW, "path": self.path(), "headers": headers, "body": body, "query": query});
        if let Some(address) = self.address {
            line["client_ip"] = address.into();
        }
        line.to_string()
    }
}

const NOW: u64 = 1_795_308_528_421;

/// The forms of requests.
const JSON: usize = 0;
const EVENTS: usize = 1;
const QUERY: usize = 2;
const HEADERS: usize = 3;

/// Returns one of these values.
fn one_of<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(values.to_vec())
}

fn json_beacon() -> impl Strategy<Value = String> {
    let names: Vec<&str> = Fields::names().chain(["arm"]).collect();
    let values = [
        "\"a\"",
        "\"Chrome\"",
        "\"Windows\"",
        "\"147\"",
        "\"vod\"",
        "\"v\"",
        "\"heartbeat\"",
        "\"end\"",
        "\"error\"",
        "\"drm\"",
        "\"E-1\"",
        "\"203.0.113.9\"",
        "\"a@b.example\"",
        "\"\"",
        "null",
        "true",
        "\"no\"",
        "7",
        "950.5",
        "1795308528000",
        "1e300",
        "-1",
        "[]",
        "\"acme\"",
        "\"A\"",
    ];
    let member = (one_of(&names), one_of(&values));
    let members = prop::collection::vec(member, 0..10);
    (one_of(&["s", "t", "none"]), 0..3_000_u64, members).prop_map(|(session, ago, members)| {
        let mut beacon = format!("{{\"session\":\"{session}\",\"ts\":{}", NOW - ago);
        for (name, value) in members.iter().filter(|(name, _)| !matches!(*name, "session" | "opt_out")) {
            beacon.push_str(&format!(",\"{name}\":{value}"));
        }
        beacon + "}"
    })
}

fn cmcd_beacon() -> impl Strategy<Value = String> {
    let keys = [
        "cid",
        "sn",
        "e",
        "sta",
        "sf",
        "st",
        "ec",
        "ot",
        "br",
        "mtp",
        "bl",
        "pt",
        "com.example-arm",
        "ltc",
        "ttfb",
    ];
    let values = [
        "\"a\"",
        "p",
        "s",
        "q",
        "h",
        "v",
        "l",
        "ps",
        "bc",
        "rr",
        "t",
        "1",
        "2000",
        "(\"1003\" \"x\")",
        "(300;v 64;a)",
        "(\"bad code!\" \"E-1\")",
        "\"B\"",
        "?0",
        "-3",
        "2.5",
    ];
    let members = prop::collection::vec((one_of(&keys), one_of(&values)), 0..9);
    (one_of(&["s", "t"]), 0..3_000_u64, members).prop_map(|(session, ago, members)| {
        let members: String = members.iter().map(|(key, value)| format!(",{key}={value}")).collect();
        format!("sid=\"{session}\",ts={}{members}", NOW - ago)
    })
}

/// Returns beacons, of which some differ from the beacon before only in their numbers or their event.
fn beacons(
    one: impl Strategy<Value = String>,
    again: fn(&str) -> String,
) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec((one, 0..3_usize), 1..4).prop_map(move |all| {
        all.into_iter()
            .flat_map(|(beacon, times)| {
                let repeated = again(&beacon);
                std::iter::once(beacon).chain(std::iter::repeat_n(repeated, times))
            })
            .collect()
    })
}

fn request() -> impl Strategy<Value = Request> {
    let json = beacons(json_beacon(), |beacon| {
        beacon.replacen("{", "{\"event\":\"play\",\"height\":720,\"stalls\":2,", 1)
    });
    let cmcd = || beacons(cmcd_beacon(), |beacon| format!("{beacon},e=ps,sta=r,pt=9000,ec=\"2001\""));
    let content = prop_oneof![
        3 => json.prop_map(|beacons| (JSON, beacons)),
        2 => cmcd().prop_map(|beacons| (EVENTS, beacons)),
        1 => cmcd().prop_map(|beacons| (QUERY, beacons)),
        1 => cmcd().prop_map(|beacons| (HEADERS, beacons)),
    ];
    let agents = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/147.0.0.0",
        "Roku/DVP-14.5 (14.5.0.4215-88)",
        "bot",
    ];
    (
        prop::option::of(one_of(&agents)),
        prop::option::of(one_of(&["\"macOS\"", "\"Windows\""])),
        prop::option::of(one_of(&["203.0.113.9", "192.0.2.77", ""])),
        prop::option::of(one_of(&["acme", "nobody"])),
        prop::bool::weighted(0.1),
        content,
    )
        .prop_map(|(user_agent, platform, address, tenant, gpc, (form, beacons))| Request {
            user_agent,
            platform,
            address,
            tenant,
            gpc,
            form,
            beacons,
        })
}

fn settings() -> Settings {
    let values = CustomValues::Closed(vec!["A".into(), "B".into()]);
    let arm = Custom::dimension("arm", 0, None, &values).expect("a source below the limit");
    let source =
        CustomSource { json: Some(vec!["arm".into()]), cmcd: Some("com.example-arm".into()), log: None };
    Settings {
        tenants: vec!["default".into(), "acme".into()],
        guard_key: Some([7; 32]),
        address: crowdfold_airlock::AddressPolicy::Truncate,
        drop_bots: true,
        gpc: true,
        custom_sources: vec![source],
        custom: CustomDimensions::new(vec![arm], []),
        ..Settings::default()
    }
}

/// The state of the airlocks for text and for packed records. It is created once, because the creation is slow.
static SHARED: LazyLock<[Arc<Shared>; 2]> = LazyLock::new(|| {
    [Format::Capture, Format::Json].map(|format| {
        let settings = Settings { format, ..settings() };
        Arc::new(Shared::new(settings, SessionHasher::fixed(7)).expect("valid settings"))
    })
});

/// Returns the outcomes of a record, and the counts of unusable values.
fn admitted(airlock: &mut Airlock, record: &Record<'_>) -> (Vec<Outcome>, Ignored) {
    let outcomes = admit_record(airlock, record);
    (outcomes, airlock.take_ignored().unwrap_or_default())
}

proptest! {
    #[test]
    fn packed_requests_have_the_same_outcomes_and_counts_as_their_text(
        records in prop::collection::vec(prop::collection::vec(request(), 1..6), 1..3),
    ) {
        let fields = fields_of(SHARED[1].settings());
        let (mut packer, mut reader) = (Packer::new(&fields), Reader::new(fields));
        let [mut of_text, mut of_packed] = SHARED.each_ref().map(|shared| Airlock::new(shared, None));
        for requests in records {
            let timestamp = Some(Timestamp::from_millis(NOW + 700));
            let (mut expect, mut ignored) = (Vec::new(), Ignored::default());
            for request in &requests {
                let line = request.line();
                let (outcomes, count) =
                    admitted(&mut of_text, &Record { payload: line.as_bytes(), content_type: None, timestamp });
                expect.extend(outcomes.into_iter().filter(|(_, outcome)| *outcome != Err(Reason::Malformed)));
                ignored.add(&count);
                let content = request.content();
                pack_body(&mut packer, &mut reader, &request.http(), &request.body(&content));
            }
            if packer.is_empty() {
                continue;
            }
            let record = Record { payload: &packer.take(), content_type: Some(CONTENT_TYPE.as_bytes()), timestamp };
            let (outcomes, count) = admitted(&mut of_packed, &record);
            prop_assert_eq!(outcomes, expect);
            prop_assert_eq!(count, ignored);
        }
    }
}

/// The test above compares little if most random beacons are rejected.
#[test]
fn most_random_beacons_are_valid_and_many_repeat_the_beacon_before() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut airlock = crate::seen::airlock(Settings { format: Format::Capture, ..settings() });
    let mut outcomes = Vec::new();
    for _ in 0..300 {
        let request = request().new_tree(&mut runner).expect("a request").current();
        outcomes.extend(admit(&mut airlock, request.line().as_bytes(), Some(Timestamp::from_millis(NOW))));
    }
    let valid = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok());
    assert!(valid.clone().count() * 2 > outcomes.len(), "{} of {}", valid.count(), outcomes.len());
    let has_os = |outcome: &&crate::seen::Seen| outcome.word(Dimension::Os) != "unknown";
    assert!(valid.filter(has_os).count() > 100);
}
