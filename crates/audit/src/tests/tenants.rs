//! Tests of rows against their tenant's policy, and of tables against its breakdowns.

use super::*;
use crowdfold_testkit::rows::of_tenant;

#[test]
fn rows_are_checked_against_the_k_of_their_tenant() {
    let row = |tenant, sessions| of_tenant(tenant, vec![record(3, "os Windows", 1, 1, sessions)]).remove(0);
    assert_eq!(findings(&audit(&[row("acme", 60), row("large", 100)])), []);
    assert_eq!(findings(&audit(&[row("acme", 60), row("large", 60)])), [("below-k", 1, "/sessions")]);
    // the row itself declares 50
    assert_eq!(audit(&[row("large", 99)]).found[0].what, What::BelowK(100));
    assert_eq!(audit(&[row("acme", 49)]).found[0].what, What::BelowK(50));
}

/// Returns a row with noise, with this τ, k = 20.
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
fn noisy_rows_have_at_least_tau_plus_k_minus_one_sessions() {
    assert_eq!(findings(&audit(&[noisy("acme", 259, Some(240))])), []);
    let audit_of = |row| audit(&[row]);
    assert_eq!(audit_of(noisy("acme", 258, Some(240))).found[0].what, What::BelowK(259));
    // the configured minimum for folded rows does not apply to rows that are not folded
    assert_eq!(findings(&audit(&[noisy("large", 22, Some(3))])), []);
    assert_eq!(findings(&audit(&[noisy("acme", 900, None)])), [("unknown-policy", 0, "/policy/tau")]);
    let bounds = |sessions| Bounds { sessions, ..Bounds::default() };
    let own = BTreeMap::from([("large".into(), bounds(364))]);
    let least = Least { policy: "differential-privacy", common: bounds(259), own };
    let rules = || Rules { least: Some(least.clone()), ..Rules::default() };
    // a row that declares less noise than its tenant's minimum
    let found = audit_with(rules(), &[noisy("acme", 100, Some(3))]);
    assert_eq!(found.found[0].what, What::BelowK(259));
    let found = audit_with(rules(), &[noisy("large", 300, Some(240))]);
    assert_eq!(found.found[0].what, What::BelowK(364));
    assert_eq!(findings(&audit_with(rules(), &[noisy("large", 364, Some(345))])), []);
}

/// Returns a table of a tenant; for `cdn` the detail table.
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
    // a window without tables has no crowd, and another tenant has other tables
    let others =
        [&whole[..2], &[("beta", 2, "os"), ("beta", 1, "os"), ("beta", 3, "os")], &whole[2..]].concat();
    assert_eq!(findings(&audit(&tables(&others))), []);
    // a tenant that has one table less from then on, or one more, has changed its breakdowns
    assert_eq!(findings(&audit(&tables(&lost[..4]))), []);
    assert_eq!(findings(&audit(&tables(&lost[2..]))), []);
}

#[test]
fn table_that_may_be_outside_the_read_records_is_not_reported() {
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
    // cdn of minute 2 lay in partition 1
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
    assert_eq!(read(&[1], &rows), [], "partition 1 has forgotten what was before minute 4");
    assert_eq!(read(&[0, 1], &rows), []);
    let shorter = [(0, cdn(1)), (0, os(1)), (1, os(1)), (0, os(2)), (0, cdn(3)), (0, os(3))];
    let twice = ("published-twice", 2);
    assert_eq!(read(&[], &shorter), [twice], "partition 1 was read up to minute 1");
    // a table with separated rows exists
    let mut apart = of_tenant("acme", table(2, "cdn", &[("x", 450), ("y", 450)]));
    let last = apart.pop().unwrap();
    let rows = [(0, cdn(1)), (0, os(1)), (0, apart), (0, os(2)), (1, vec![last]), (0, cdn(3)), (0, os(3))];
    assert_eq!(read(&[], &rows), [("scattered-table", 4)]);
}
