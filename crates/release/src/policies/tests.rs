use std::collections::HashSet;

use crowdfold_model::Dimension::{Cdn, Os};

use super::*;
use crate::PolicySettings;

fn policy(k: u64) -> Policy {
    Policy::threshold(PolicySettings { k, ..PolicySettings::default() }).unwrap()
}

fn other_tables(k: u64) -> Policy {
    let breakdowns = vec![vec![Os], vec![Cdn]];
    Policy::threshold(PolicySettings { k, breakdowns, ..PolicySettings::default() }).unwrap()
}

fn policies<const N: usize>(own: [(&str, Policy); N]) -> Policies {
    Policies::new(policy(50), own.map(|(tenant, policy)| (tenant.into(), policy)))
}

#[test]
fn tenant_without_its_own_policy_has_the_common_policy() {
    let policies = policies([("acme", policy(100)), ("beta", other_tables(20)), ("like", policy(50))]);
    assert_eq!(["acme", "beta", "like", "else"].map(|tenant| policies.of(tenant).k()), [100, 20, 50, 50]);
    assert_eq!(policies.own().map(|(tenant, _)| tenant).collect::<Vec<_>>(), ["acme", "beta"]);
    assert_eq!(policies.max_k(), 100);
    let breakdowns = policies.breakdowns();
    assert_eq!((breakdowns.of("acme").len(), breakdowns.of("beta").len()), (5, 2));
    assert_eq!(breakdowns.lists().count(), 2, "acme has the common tables");
}

#[test]
fn fingerprint_of_all_policies_depends_on_each_policy_that_differs_from_the_common_policy() {
    assert_eq!(policies([]).fingerprint(), policy(50).fingerprint());
    assert_eq!(policies([("acme", policy(50))]).fingerprint(), policy(50).fingerprint());
    let different = [
        policies([]),
        policies([("acme", policy(100))]),
        policies([("beta", policy(100))]),
        policies([("acme", policy(101))]),
        policies([("acme", other_tables(50))]),
        policies([("acme", policy(100)), ("beta", policy(100))]),
        Policies::new(policy(51), [("acme".into(), policy(100))]),
    ];
    let seen: HashSet<_> = different.iter().map(Policies::fingerprint).collect();
    assert_eq!(seen.len(), different.len());
}
