//! Tests of custom dimensions, from beacons to rows.

use std::collections::BTreeMap;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

use crowdfold_model::{Metric, ROW_FIELDS};
use crowdfold_query::QueryMetric;
use serde_json::Value;

/// Runs `crowdfold fold` with a configuration on lines of beacons.
fn fold(config: &str, lines: &[String]) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("x.toml"), config).expect("a file");
    std::fs::write(path("beacons.ndjson"), lines.join("\n")).expect("a file");
    Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["fold", "--config"])
        .args([path("x.toml"), path("beacons.ndjson")])
        .env_clear()
        .output()
        .expect("the program runs")
}

/// Returns the number of sessions for each cell key of a tenant's breakdown.
fn sessions(output: &Output, tenant: &str, breakdown: &[&str]) -> BTreeMap<String, u64> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = std::str::from_utf8(&output.stdout).expect("UTF-8").lines();
    rows.map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter(|row| row["tenant"] == tenant && row["breakdown"] == serde_json::json!(breakdown))
        .map(|row| {
            let values = breakdown.iter().map(|name| row["dimensions"][name].as_str().expect("a value"));
            (values.collect::<Vec<_>>().join("/"), row["sessions"].as_u64().expect("a number"))
        })
        .collect()
}

fn expected(rows: &[(&str, u64)]) -> BTreeMap<String, u64> {
    rows.iter().map(|(values, sessions)| ((*values).to_owned(), *sessions)).collect()
}

/// Returns JSON beacons of 20 sessions with these fields.
fn beacons(tenant: &str, fields: &str) -> Vec<String> {
    let beacon = |session| {
        format!(
            r#"{{"ts":1795308528421,"tenant":"{tenant}","session":"{session}","playing_ms":10000{fields}}}"#
        )
    };
    (0..20).map(|_| beacon(new_session())).collect()
}

/// Returns a session id that no other beacon has.
fn new_session() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("session-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn json_fields_become_custom_dimensions_of_each_tenant() {
    let config = r#"
        [tenants]
        names = ["acme", "beta"]
        default = "acme"
        [dimensions.arm]
        from = "trial.arm"
        values = ["A", "B"]
        [dimensions.tenants.beta.arm]
        from = "trial.arm"
        open = true
        [dimensions.tenants.beta.plan]
        from = ["account.plan"]
        values = ["basic", "pro"]
        [release]
        k = 10
        breakdowns = [["arm"], ["os"]]
        [release.tenants.beta]
        breakdowns = [["plan"], ["arm", "os"]]
    "#;
    let lines = [
        beacons("acme", r#","trial":{"arm":"A"},"account.plan":"pro""#),
        beacons("acme", r#","trial":{"arm":"b","note":[1]}"#),
        beacons("acme", r#","trial":{"arm":"other arm"}"#),
        beacons("acme", r#","trial":{"arm":{}}"#),
        beacons("beta", r#","trial":{"arm":"other arm"},"account.plan":"PRO""#),
        beacons("beta", r#","trial":{"arm":7},"account.plan":"gold", "os":"Windows""#),
        beacons("beta", r#","trial":{"arm":"jane@mail.example"},"os":"Linux""#),
    ]
    .concat();
    let output = fold(config, &lines);
    let arms = [("A", 20), ("B", 20), ("other", 20), ("unknown", 20)];
    assert_eq!(sessions(&output, "acme", &["arm"]), expected(&arms));
    let plans = [("pro", 20), ("other", 20), ("unknown", 20)];
    assert_eq!(sessions(&output, "beta", &["plan"]), expected(&plans));
    let arms = [("other arm/unknown", 20), ("7/Windows", 20), ("redacted/Linux", 20)];
    assert_eq!(sessions(&output, "beta", &["arm", "os"]), expected(&arms));
    let summary = String::from_utf8_lossy(&output.stderr);
    assert!(summary.contains("20 custom_dimension"), "{summary}");
}

#[test]
fn cmcd_keys_and_fields_of_a_log_become_custom_dimensions() {
    let config = r#"
        [source]
        format = "capture"
        [source.log]
        time = "t"
        query = "q"
        [dimensions.arm]
        cmcd = "com.example-arm"
        log = "edge.arm"
        values = ["A", "B"]
        [release]
        k = 10
        breakdowns = [["arm"]]
    "#;
    let line = |member: &str, field: &str| {
        let session = new_session();
        format!(r#"{{"t":1795308528421,"q":"CMCD=br%3D3200,sid%3D%22{session}%22{member}","x":1{field}}}"#)
    };
    let lines = |member: &str, field: &str| (0..20).map(|_| line(member, field)).collect::<Vec<_>>();
    let of_cmcd = "%2Ccom.example-arm%3D%22b%22";
    let lines = [
        lines(of_cmcd, ""),
        lines("", r#","edge":{"arm":"A"}"#),
        // The value in the beacon takes precedence over the field of the log.
        lines(of_cmcd, r#","edge":{"arm":"A","y":1}"#),
        lines("", r#","edge":{"arm":"-"}"#),
        lines("", r#","edge":{"arm":"C%20D"}"#),
    ]
    .concat();
    let arms = [("A", 20), ("B", 40), ("other", 20), ("unknown", 20)];
    assert_eq!(sessions(&fold(config, &lines), "default", &["arm"]), expected(&arms));
}

#[test]
fn cmcd_events_contain_custom_dimensions() {
    let config = r#"
        [source]
        format = "cmcd"
        [dimensions.plan]
        cmcd = "com.example-plan"
        open = true
        [release]
        k = 10
        breakdowns = [["plan"]]
    "#;
    let line = |plan: &str| format!(r#"e=ps,ts=1795308528421,sid="{}",sta=p,v=2{plan}"#, new_session());
    let lines = |plan: &str| (0..20).map(|_| line(plan)).collect::<Vec<_>>();
    let lines = [
        lines(r#",com.example-plan="pro""#),
        lines(",com.example-plan=basic"),
        lines(r#",com.example-other="pro""#),
        lines(",com.example-plan"),
    ]
    .concat();
    let plans = [("basic", 20), ("pro", 20), ("unknown", 40)];
    assert_eq!(sessions(&fold(config, &lines), "default", &["plan"]), expected(&plans));
}

#[test]
fn session_keeps_its_value_in_later_windows() {
    let config = r#"
        [dimensions.arm]
        from = "arm"
        values = ["A", "B"]
        [release]
        k = 10
        breakdowns = [["arm"]]
    "#;
    let beacon = |at: usize, ts: u64, arm: &str| {
        format!(r#"{{"ts":{ts},"session":"s-{at}","playing_ms":10000{arm}}}"#)
    };
    let first = (0..20).map(|at| beacon(at, 1_795_308_528_421, r#","arm":"B""#));
    let second = (0..20).map(|at| beacon(at, 1_795_308_588_421, ""));
    let output = fold(config, &first.chain(second).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = std::str::from_utf8(&output.stdout).expect("UTF-8").lines();
    let arms: Vec<Value> = rows
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["dimensions"]["arm"].clone())
        .collect();
    assert_eq!(arms, ["B", "B"]);
}

#[test]
fn invalid_dimension_exits_with_code_2() {
    let output = fold("[dimensions.os]\nfrom = \"x\"\nopen = true\n", &[]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("dimensions.os has the name of a dimension; choose another name"), "{stderr}");
}

#[test]
fn no_dimension_can_have_the_name_of_a_field_of_a_row_or_of_a_column() {
    let taken =
        |name: &str| ROW_FIELDS.contains(&name) || Metric::ALL.iter().any(|metric| metric.name() == name);
    let schema = include_str!("../../../docs/reference/rollup.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    let fields = schema["properties"].as_object().expect("an object").keys().cloned();
    let columns = QueryMetric::all().map(|metric| metric.name().to_owned());
    let free: Vec<String> = fields.chain(columns).filter(|name| !taken(name)).collect();
    assert_eq!(free, [""; 0]);
}
