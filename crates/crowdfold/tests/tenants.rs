//! Tests of several tenants with their own policies, with `fold`, `check` and `generate`.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const START: u64 = 1_795_305_600_000;

const CONFIG: &str = r#"
[tenants]
names = ["acme", "beta", "gamma"]
default = "acme"
[release]
k = 50
breakdowns = [["os", "browser"], ["cdn"]]
[release.tenants.beta]
k = 100
[release.tenants.gamma]
k = 20
breakdowns = [["cdn", "stream"], ["os"]]
detail_breakdown = ["os"]
"#;

/// Returns one beacon for each session, each with its time. The first `linux` sessions have the `os` Linux, and the
/// `windows` sessions after them have Windows.
fn sessions(tenant: &str, linux: u64, windows: u64) -> Vec<(u64, String)> {
    let beacon = |at| {
        let os = if at < linux { "Linux" } else { "Windows" };
        let ts = START + at * 10;
        let beacon = json!({
            "ts": ts, "tenant": tenant, "session": format!("{tenant}-{at}"), "event": "heartbeat", "os": os,
            "browser": "Chrome", "cdn": "cdn-a", "stream": "live", "bandwidth_kbps": 5_000,
        });
        (ts, beacon.to_string() + "\n")
    };
    (0..linux + windows).map(beacon).collect()
}

fn crowdfold(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crowdfold"));
    command.current_dir(dir).args(["--config", "crowdfold.toml"]).args(arguments).output().unwrap()
}

/// Runs `fold`. Returns the rows and the ledger, which is the number of beacons by outcome. A row is formatted as
/// tenant, breakdown, dimension values, sessions, *k*, and the threshold τ if there is noise. Rows of the detail table
/// end with `+`.
fn fold(config: &str, mut beacons: Vec<(u64, String)>) -> (Vec<String>, Value) {
    let dir = TempDir::new().unwrap();
    beacons.sort();
    std::fs::write(dir.path().join("crowdfold.toml"), config).unwrap();
    let lines: String = beacons.into_iter().map(|(_, line)| line).collect();
    std::fs::write(dir.path().join("beacons.ndjson"), lines).unwrap();
    let output = crowdfold(dir.path(), &["fold", "--ledger", "ledger.json", "beacons.ndjson"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let words = |row: Value| {
        let names: Vec<_> =
            row["breakdown"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        let cell_key: Vec<_> = names.iter().map(|name| row["dimensions"][name].as_str().unwrap()).collect();
        let detail = if row["detail"] == true { " +" } else { "" };
        let tenant = row["tenant"].as_str().unwrap();
        let (names, cell_key, policy) = (names.join("."), cell_key.join("/"), &row["policy"]);
        let tau = policy.get("tau").map_or(String::new(), |tau| format!(" τ={tau}"));
        format!("{tenant} {names} {cell_key} {} k={}{tau}{detail}", row["sessions"], policy["k"])
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| words(serde_json::from_str(line).unwrap())).collect();
    let ledger: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("ledger.json")).unwrap()).unwrap();
    assert_eq!(ledger["balanced"], true);
    (rows, ledger)
}

#[test]
fn each_tenant_is_folded_by_its_own_policy() {
    let of_all = |linux, windows| {
        ["acme", "beta", "gamma"].iter().flat_map(|tenant| sessions(tenant, linux, windows)).collect()
    };
    // With 30 and 60 sessions, both rows of gamma are published. All sessions of acme are in one row, and beta has no
    // rows.
    let (rows, ledger) = fold(CONFIG, of_all(30, 60));
    let expected = [
        "acme os.browser */* 90 k=50",
        "acme cdn cdn-a 90 k=50 +",
        "gamma cdn.stream cdn-a/live 90 k=20",
        "gamma os Linux 30 k=20 +",
        "gamma os Windows 60 k=20 +",
    ];
    assert_eq!(rows, expected);
    assert_eq!(
        (&ledger["session_windows"]["released"], &ledger["session_windows"]["withheld"]),
        (&180.into(), &90.into())
    );
    // With more sessions, all tables of each tenant are published.
    let (rows, _) = fold(CONFIG, of_all(110, 120));
    let count = |of: &str| rows.iter().filter(|row| row.starts_with(of)).count();
    assert_eq!((count("acme "), count("beta "), count("gamma ")), (3, 3, 3), "{rows:#?}");
}

#[test]
fn policy_of_one_tenant_does_not_change_the_rows_of_another_tenant() {
    let beacons = || -> Vec<_> {
        ["acme", "beta", "gamma"].iter().flat_map(|tenant| sessions(tenant, 30, 60)).collect()
    };
    let (with, _) = fold(CONFIG, beacons());
    let common = CONFIG.split("[release.tenants.beta]").next().unwrap();
    let (without, _) = fold(common, beacons());
    let acme = |rows: &[String]| -> Vec<String> {
        rows.iter().filter(|row| row.starts_with("acme")).cloned().collect()
    };
    assert_eq!(acme(&with), acme(&without));
    assert_ne!(with, without);
}

#[test]
fn truth_of_synthetic_players_has_the_tables_of_each_tenant() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("crowdfold.toml"), CONFIG).unwrap();
    let arguments = [
        "generate",
        "--output",
        "b.ndjson",
        "--truth",
        "t.ndjson",
        "--sessions",
        "60",
        "--seed",
        "3",
        "--for",
        "1m",
    ];
    let output = crowdfold(dir.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let truth = std::fs::read_to_string(dir.path().join("t.ndjson")).unwrap();
    let cells = truth.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let tables: BTreeSet<String> = cells
        .filter(|cell| cell.get("breakdown").is_some())
        .map(|cell| format!("{} {}", cell["tenant"].as_str().unwrap(), cell["breakdown"]))
        .collect();
    let expected = [
        r#"acme ["cdn"]"#,
        r#"acme ["os","browser"]"#,
        r#"beta ["cdn"]"#,
        r#"beta ["os","browser"]"#,
        r#"gamma ["cdn","stream"]"#,
        r#"gamma ["os"]"#,
    ];
    assert_eq!(tables.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn check_prints_the_policy_of_each_tenant() {
    let dir = TempDir::new().unwrap();
    let attributes =
        "[tenants.attributes.acme]\nindustry = \"news\"\n[tenants.attributes.gamma]\nindustry = \"sport\"\n";
    let text = CONFIG
        .replace("[release]\n", &format!("excluded_from_groupings = [\"gamma\"]\n{attributes}[release]\n"));
    std::fs::write(dir.path().join("crowdfold.toml"), text).unwrap();
    let output = crowdfold(dir.path(), &["check"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    for lines in [
        "# Breakdowns and their families; each row covers at least 50 sessions:\n# os.browser: platform\n# cdn: \
         delivery; the detail table, with exact numbers\n",
        "# Breakdowns of beta and their families; each row covers at least 100 sessions:\n# os.browser: platform\n# \
         cdn: delivery; the detail",
        "# Breakdowns of gamma and their families; each row covers at least 20 sessions:\n# cdn.stream: delivery, \
         stream\n# os: platform; the detail table, with exact numbers\n",
        "# Attributes by which `query` can group tenants, except gamma:\n# industry: news (acme)\n",
        "[release.tenants.gamma]\nk = 20 # crowdfold.toml:",
        "\ndetail_breakdown = [\"os\"] # crowdfold.toml:",
        "\nbreakdowns = [[\"cdn\", \"stream\"], [\"os\"]] # crowdfold.toml:",
    ] {
        assert!(shown.contains(lines), "{lines}: {shown}");
    }
}

#[test]
fn threshold_of_differential_privacy_is_higher_for_a_tenant_with_more_breakdowns() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("secret"), "0123456789abcdef".repeat(4)).unwrap();
    let text = "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[release]\n\
                policy = \"differential-privacy\"\nbreakdowns = [[\"os\", \"browser\"]]\n\
                [release.tenants.beta]\nk = 20\nbreakdowns = [[\"os\"], [\"os\", \"cdn\"]]\n\
                [release.privacy]\nsecret_file = \"secret\"\n[ttl]\nbeacons = \"3h\"\n";
    std::fs::write(dir.path().join("crowdfold.toml"), text).unwrap();
    let shown = String::from_utf8(crowdfold(dir.path(), &["check"]).stdout).unwrap();
    // The numbers are in a table in docs/internals/privacy-model.md. For hourly windows and one breakdown, σ is 38.2
    // and τ is 240. For two breakdowns, σ is 54.0 and τ is 345.
    for line in [
        "τ + k − 1 = 240 + 49 = 289.",
        "# For beta: N = 48, σ of sessions 54.0, and a row is published from τ + k − 1 = 345 + 19 = 364 sessions; \
         other σ as above × 1.414.\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let beacons = ["acme", "beta"].iter().flat_map(|tenant| sessions(tenant, 0, 1_000)).collect();
    let secret = dir.path().join("secret");
    let (rows, _) = fold(&text.replace("\"secret\"", &format!("{secret:?}")), beacons);
    let words = |row: &String| {
        let words: Vec<_> = row.split(' ').collect();
        format!("{} {} {}", words[0], words[1], words[4..6].join(" "))
    };
    let shown: Vec<_> = rows.iter().map(words).collect();
    let expected = ["acme os.browser k=50 τ=240", "beta os k=20 τ=345", "beta os.cdn k=20 τ=345"];
    assert_eq!(shown, expected, "{rows:?}");
}

#[test]
fn check_warns_if_min_networks_cannot_be_reached_in_a_breakdown_by_network() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("secret"), "0123456789abcdef".repeat(4)).unwrap();
    let text = |guard: u32| {
        format!(
            "[address]\npolicy = \"truncate\"\n[release]\nbreakdowns = [[\"country\", \"network\"]]\n\
             min_networks = {guard}\n[release.privacy]\nsecret_file = \"secret\"\n"
        )
    };
    for (guard, mentioned) in [(1, false), (2, true)] {
        std::fs::write(dir.path().join("crowdfold.toml"), text(guard)).unwrap();
        let shown = String::from_utf8(crowdfold(dir.path(), &["check"]).stdout).unwrap();
        assert_eq!(shown.contains("Every row of an IPv4 network in it is folded"), mentioned, "{shown}");
    }
}
