use proptest::collection::vec;
use proptest::{prop_assert_eq, proptest};
use serde_json::Value;

use crate::testing::{of_tenant, query, rows, table};
use crate::{Answer, QueryError};

fn ask(flags: &str, records: &[Vec<Value>]) -> Answer {
    query(flags).unwrap().run(&rows(records)).unwrap()
}

/// Formats each group as its key, its number of sessions and its number of tenants: `news/Windows 83 of 2`.
fn shown(answer: &Answer) -> Vec<String> {
    let show = |group: &crate::group::Group| {
        format!("{} {} of {}", group.group_key.join("/"), group.sessions(), group.tenants.len())
    };
    answer.groups.iter().map(show).collect()
}

/// Returns one window of each of five tenants. `delta` has another breakdown than the four others.
fn five() -> Vec<Vec<Value>> {
    let of = |tenant, windows, linux| {
        of_tenant(tenant, table(90, "os/browser", &[("Linux/Firefox", linux), ("Windows/Chrome", windows)]))
    };
    vec![
        of("acme", 100, 200),
        of("beta", 300, 60),
        of("gamma", 500, 70),
        of("shy", 999, 888),
        of_tenant("delta", table(90, "cdn", &[("cdn-a", 80)])),
        of("stranger", 777, 666),
    ]
}

#[test]
fn grouping_by_an_attribute_adds_only_rows_of_tenants_that_may_be_grouped() {
    let answer = ask("--by industry", &five());
    assert_eq!(shown(&answer), ["news 660 of 2", "sport 570 of 1", "unknown 80 of 1"]);
    assert_eq!(answer.count_name(), "sessions", "in one window no session is counted twice");
    assert_eq!(
        answer.notes(),
        [
            "answered from the detail tables cdn · os,browser: all numbers are exact",
            "2 groups contain the data of one tenant only"
        ]
    );
    let answer = ask("--by industry,os --breakdown os,browser", &five());
    assert_eq!(
        shown(&answer),
        ["sport/Windows 500 of 1", "news/Windows 400 of 2", "news/Linux 260 of 2", "sport/Linux 70 of 1"]
    );
    assert_eq!(answer.by, ["industry", "os"]);
}

#[test]
fn conditions_on_attributes_select_tenants() {
    assert_eq!(shown(&ask("--where plan=pro", &five())), [" 870 of 2"]);
    assert_eq!(shown(&ask("--where plan=pro --where plan=free", &five())), [" 1230 of 3"]);
    assert_eq!(shown(&ask("--where plan=pro --where industry=news", &five())), [" 300 of 1"]);
    assert_eq!(shown(&ask("--where plan=pro --where os=Windows --by os", &five())), ["Windows 600 of 2"]);
    assert_eq!(shown(&ask("--where plan=none", &five())), [""; 0]);
    assert_eq!(shown(&ask("--where industry=unknown", &five())), [" 80 of 1"]);
}

#[test]
fn across_adds_only_rows_of_tenants_that_may_be_grouped() {
    assert_eq!(shown(&ask("--across", &five())), [" 1310 of 4"]);
    assert_eq!(
        shown(&ask("--across --breakdown os,browser --by os", &five())),
        ["Windows 900 of 3", "Linux 330 of 3"]
    );
    // A query for the single tenant `shy` can still read its rows.
    assert_eq!(shown(&ask("--tenant shy", &five())), [" 1887 of 1"]);
    assert_eq!(ask("", &five()).groups.len(), 6, "each tenant has its own rows");
}

#[test]
fn rows_of_different_breakdowns_are_never_added() {
    let answer = ask("--by industry --breakdown cdn", &five());
    assert_eq!(shown(&answer), ["unknown 80 of 1"], "only delta has this breakdown");
    let error = query("--where plan=pro --by browser").unwrap().run(&rows(&five())).unwrap_err();
    assert!(matches!(error, QueryError::BreakdownChoice { .. }), "{error}");
}

#[test]
fn sum_over_windows_and_tenants_counts_session_windows() {
    let mut records = five();
    records.push(table(91, "os/browser", &[("Windows/Chrome", 100)]));
    let answer = ask("--by industry", &records);
    assert_eq!(shown(&answer)[0], "news 760 of 2");
    assert_eq!(answer.count_name(), "session_windows");
    let news = &answer.groups[0];
    assert_eq!((news.windows(), news.concurrent_max()), (2, 660));
    // The rows are grouped by time and by an attribute.
    let answer = ask("--by industry --every 1m", &records);
    assert_eq!(shown(&answer), ["news 660 of 2", "sport 570 of 1", "unknown 80 of 1", "news 100 of 1"]);
}

#[test]
fn query_that_selects_one_tenant_and_also_adds_several_is_refused() {
    for (flags, across) in [
        ("--tenant acme --by industry", "by industry"),
        ("--tenant acme --where plan=pro", "where plan=…"),
        ("--tenant acme --across", "across"),
    ] {
        assert_eq!(
            query(flags).unwrap_err().to_string(),
            format!("tenant acme selects one tenant, but {across} adds up several; remove one of the two")
        );
    }
}

#[test]
fn group_of_several_tenants_has_their_number_but_no_names_in_every_format() {
    let answer = ask("--by industry,os --breakdown os,browser", &five());
    assert!(answer.table(120).starts_with("tenants  industry  os       sessions"), "{}", answer.table(120));
    let csv = answer.csv();
    assert!(csv.starts_with("tenants,from,to,industry,os,tables,numbers,windows,sessions,"), "{csv}");
    let json = answer.json();
    let first: Value = serde_json::from_str(json.lines().nth(1).unwrap()).unwrap();
    assert_eq!(first["tenants"], 2);
    assert_eq!(first["attributes"].to_string(), r#"{"industry":"news"}"#);
    assert_eq!(first["dimensions"].to_string(), r#"{"os":"Windows"}"#);
    // A ratio is the quotient of the added sums: 600·(100+300) ms stalled ÷ 54,600·(100+300) ms.
    assert_eq!(first["rebuffering_ratio"], 0.010_989);
    for text in [answer.table(120), csv, json] {
        assert!(!text.contains("acme") && !text.contains("beta") && !text.contains("shy"), "{text}");
    }
    let plain: Value = serde_json::from_str(ask("--tenant acme", &five()).json().trim()).unwrap();
    assert_eq!(
        (&plain["tenant"], plain.get("tenants"), plain.get("attributes")),
        (&"acme".into(), None, None)
    );
}

proptest! {
    /// Compares the number of sessions of each group with the sum over the tenants in the group.
    #[test]
    fn sessions_of_a_group_are_the_sum_over_its_tenants(counts in vec((50_u64..500, 50_u64..500, 90_u64..93), 1..12)) {
        let tenants = ["acme", "beta", "gamma", "delta", "shy"];
        let mut records = Vec::new();
        let mut expected = std::collections::BTreeMap::<&str, u64>::new();
        for (at, (linux, windows, minute)) in counts.into_iter().enumerate() {
            let (tenant, minute) = (tenants[at % 5], minute + 10 * (at / 5) as u64);
            let rows = table(minute, "os/browser", &[("Linux/Firefox", linux), ("Windows/Chrome", windows)]);
            records.push(of_tenant(tenant, rows));
            let industry = ["news", "news", "sport", "unknown", ""][at % 5];
            *expected.entry(industry).or_default() += windows;
        }
        expected.remove("");
        let answer = ask("--by industry --where os=Windows --breakdown os,browser", &records);
        let shown: std::collections::BTreeMap<_, _> =
            answer.groups.iter().map(|group| (group.group_key[0].as_str(), group.sessions())).collect();
        prop_assert_eq!(shown, expected);
    }
}
