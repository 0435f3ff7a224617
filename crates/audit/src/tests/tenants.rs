//! Tests of rows that break the policy of their tenant, and of tables that are missing.

use crowdfold_model::{Custom, CustomDimensions, CustomValues};

use super::*;
use crowdfold_testkit::rows::of_tenant;

#[test]
fn row_below_the_k_of_its_tenant_is_reported() {
    let row = |tenant, k, sessions| {
        let mut row = of_tenant(tenant, vec![record(3, "os Windows", 1, 1, sessions)]).remove(0);
        row["policy"]["k"] = json!(k);
        row
    };
    assert_eq!(findings(&audit(&[row("acme", 50, 60), row("large", 100, 100)])), []);
    // The policy in the row declares 50, but the configured minimum of the tenant is 100.
    let below = [("below-k", 1, "/sessions"), ("weaker-policy", 1, "/policy/k")];
    assert_eq!(findings(&audit(&[row("acme", 50, 60), row("large", 50, 60)])), below);
    assert_eq!(findings(&audit(&[row("large", 50, 100)])), [("weaker-policy", 0, "/policy/k")]);
    assert_eq!(audit(&[row("large", 50, 99)]).found[0].what, What::BelowK(100));
    assert_eq!(audit(&[row("acme", 50, 49)]).found[0].what, What::BelowK(50));
}

/// Returns a row under `differential-privacy` with k = 20 and this τ.
fn noisy(tenant: &str, sessions: u64, tau: Option<u64>) -> Value {
    let mut row = of_tenant(tenant, vec![record(60, "os Windows", 1, 1, sessions)]).remove(0);
    row["policy"] =
        json!({"name": "differential-privacy", "k": 20, "epsilon": 1.0, "delta": 1e-8, "sigma": 38.2});
    if let Some(tau) = tau {
        row["policy"]["tau"] = json!(tau);
    }
    row
}

#[test]
fn row_with_fewer_than_tau_plus_k_minus_one_sessions_is_reported() {
    assert_eq!(findings(&audit(&[noisy("acme", 259, Some(240))])), []);
    let audit_of = |row| audit(&[row]);
    assert_eq!(audit_of(noisy("acme", 258, Some(240))).found[0].what, What::BelowK(259));
    // The configured minimums do not apply to this row, because they are for the policy `threshold`.
    assert_eq!(findings(&audit(&[noisy("large", 22, Some(3))])), []);
    assert_eq!(findings(&audit(&[noisy("acme", 900, None)])), [("unknown-policy", 0, "/policy/tau")]);
    let bounds = |sessions| Bounds { sessions, ..Bounds::default() };
    let own = BTreeMap::from([("large".into(), bounds(364))]);
    let least = Least { policy: "differential-privacy", common: bounds(259), own };
    let rules = || Rules { least: Some(least.clone()), ..Rules::default() };
    // This row has a τ that is lower than the configured minimum.
    let found = audit_with(rules(), &[noisy("acme", 100, Some(3))]);
    assert_eq!(found.found[0].what, What::BelowK(259));
    let found = audit_with(rules(), &[noisy("large", 300, Some(240))]);
    assert_eq!(found.found[0].what, What::BelowK(364));
    assert_eq!(findings(&audit_with(rules(), &[noisy("large", 364, Some(345))])), []);
}

/// Returns a table of a tenant. The table of the breakdown `cdn` is the detail table, and the others have noise.
fn one_table(tenant: &str, minute: u64, breakdown: &str) -> Vec<Value> {
    let rows = table(minute, breakdown, &[("x", 900)]);
    of_tenant(tenant, if breakdown == "cdn" { rows } else { with_noise(covered(rows)) })
}

#[test]
fn table_missing_between_two_windows_is_reported() {
    let tables = |of: &[(&str, u64, &str)]| -> Vec<Value> {
        of.iter().flat_map(|(tenant, minute, breakdown)| one_table(tenant, *minute, breakdown)).collect()
    };
    let whole = [("acme", 1, "os"), ("acme", 1, "cdn"), ("acme", 3, "os"), ("acme", 3, "cdn")];
    assert_eq!(findings(&audit(&tables(&whole))), []);
    let lost = [&whole[..2], &[("acme", 2, "os")], &whole[2..]].concat();
    let found = audit(&tables(&lost));
    assert_eq!(findings(&found), [("missing-table", 2, "")]);
    assert_eq!(found.found[0].other.as_ref().unwrap().offset, 1, "where it was last");
    // A window without any table of the tenant is allowed, because it may have fewer than k sessions. Tables of another
    // tenant have no influence.
    let others =
        [&whole[..2], &[("beta", 2, "os"), ("beta", 1, "os"), ("beta", 3, "os")], &whole[2..]].concat();
    assert_eq!(findings(&audit(&tables(&others))), []);
    // A table may be missing in all windows before or after a certain window, because the breakdowns may have changed.
    assert_eq!(findings(&audit(&tables(&lost[..4]))), []);
    assert_eq!(findings(&audit(&tables(&lost[2..]))), []);
}

#[test]
fn missing_table_is_not_reported_if_unread_records_may_contain_it() {
    let read = |cut: &[u32], rows: &[(u32, Vec<Value>)]| {
        let mut auditor = Auditor::new(rules());
        let topic = auditor.topic("rollups", Contents::Rollups, cut);
        for (offset, (partition, row)) in
            (0..).zip(rows.iter().flat_map(|(p, rows)| rows.iter().map(move |r| (*p, r))))
        {
            let (key, value) = (key(row), row.to_string());
            let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
            auditor.record(topic, &Record { partition, offset, key, value, ..Record::default() });
        }
        findings(&auditor.finish()).into_iter().map(|(name, offset, _)| (name, offset)).collect::<Vec<_>>()
    };
    let os = |minute| one_table("acme", minute, "os");
    let cdn = |minute| one_table("acme", minute, "cdn");
    // The table `cdn` of minute 2 is missing. It may have been in partition 1.
    let rows = [
        (0, cdn(1)),
        (0, os(1)),
        (0, os(2)),
        (0, cdn(3)),
        (0, os(3)),
        (1, os(4)),
        (1, cdn(4)),
        (0, cdn(5)),
        (0, os(5)),
    ];
    assert_eq!(read(&[], &rows), [("missing-table", 2)]);
    assert_eq!(read(&[1], &rows), [], "the records of partition 1 before minute 4 were not read");
    assert_eq!(read(&[0, 1], &rows), []);
    let shorter = [(0, cdn(1)), (0, os(1)), (1, os(1)), (0, os(2)), (0, cdn(3)), (0, os(3))];
    let twice = ("published-twice", 2);
    assert_eq!(read(&[], &shorter), [twice], "partition 1 was read up to minute 1");
    // If the rows of a table are separated, the table is not missing.
    let mut apart = of_tenant("acme", table(2, "cdn", &[("x", 450), ("y", 450)]));
    let last = apart.pop().unwrap();
    let rows = [(0, cdn(1)), (0, os(1)), (0, apart), (0, os(2)), (1, vec![last]), (0, cdn(3)), (0, os(3))];
    assert_eq!(read(&[], &rows), [("scattered-table", 4)]);
}

#[test]
fn custom_dimension_is_accepted_only_for_its_tenants() {
    let arm = Custom::dimension("arm", 0, None, &CustomValues::Open).unwrap();
    let size = Custom::dimension("size", 1, Some("platform"), &CustomValues::Open).unwrap();
    let custom = CustomDimensions::new(vec![], [("acme".into(), vec![arm, size])]);
    let of = |tenant: &str, rows: &[&str]| {
        let rows: Vec<Value> = rows
            .iter()
            .map(|dimensions| {
                let mut row = record(3, dimensions, 1, 1, 900);
                row["tenant"] = tenant.into();
                row
            })
            .collect();
        let audit = audit_with(Rules { custom: custom.clone(), ..rules() }, &rows);
        findings(&audit).into_iter().map(|(name, _, field)| format!("{name} {field}")).collect::<Vec<_>>()
    };
    assert_eq!(of("acme", &["arm B"]), [""; 0]);
    assert_eq!(of("beta", &["arm B"]), ["unknown-dimension /breakdown/0"]);
    assert_eq!(
        of("acme", &["arm jane@mail.example"]),
        ["identifier /dimensions/arm", "invalid-value /dimensions/arm"]
    );
    // The family `platform` is in two tables.
    let overlapping = "overlapping-families ".to_owned();
    assert!(of("acme", &["size small", "os Windows"]).contains(&overlapping));
    assert!(!of("acme", &["arm B", "os Windows"]).contains(&overlapping));
}
