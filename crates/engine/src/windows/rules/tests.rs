use crowdfold_model::Dimension::{Cdn, Country, Os};
use crowdfold_model::{BreakdownList, Qualities};

use super::*;

fn fingerprint(breakdowns: Breakdowns) -> u64 {
    Rules {
        window: Span::MINUTE,
        lateness: Span::SECOND.times(30),
        idle: Span::SECOND.times(90),
        breakdowns,
        qualities: Qualities::default(),
        max_sessions: 1,
    }
    .layout_fingerprint(4, 2)
}

fn own(tenant: &str, list: BreakdownList) -> (String, BreakdownList) {
    (tenant.into(), list)
}

#[test]
fn layout_fingerprint_is_the_same_if_no_tenant_has_other_breakdowns() {
    // The expected value is the FNV-1a hash of `wire=1 n=4 m=2 w=60000 l=30000 h=90000 d.os d.country`, as computed by
    // another program.
    let common = vec![vec![Os], vec![Country]];
    assert_eq!(fingerprint(common.clone().into()), FINGERPRINT);
    assert_eq!(fingerprint(Breakdowns::new(common.clone(), [own("acme", common)])), FINGERPRINT);
}

const FINGERPRINT: u64 = 0xe580_53e1_22ec_9fa7;

#[test]
fn layout_fingerprint_differs_if_the_tables_of_a_tenant_differ() {
    let common = || vec![vec![Os]];
    let different = [
        common().into(),
        Breakdowns::new(common(), [own("acme", vec![vec![Cdn]])]),
        Breakdowns::new(common(), [own("beta", vec![vec![Cdn]])]),
        Breakdowns::new(common(), [own("acme", vec![vec![Cdn], vec![Os]])]),
        Breakdowns::new(common(), [own("acme", vec![vec![Cdn]]), own("beta", vec![vec![Cdn]])]),
        Breakdowns::new(common(), [own("acme", vec![vec![Cdn]]), own("beta", vec![vec![Os], vec![Cdn]])]),
    ];
    let seen: std::collections::HashSet<_> = different.into_iter().map(fingerprint).collect();
    assert_eq!(seen.len(), 6);
}
