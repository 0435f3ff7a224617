use std::collections::HashSet;

use crowdfold_airlock::Dimension::{Asn, Country, Device, Os};

use super::{Policy, PolicySettings};
use crate::testing::cell;

fn settings() -> PolicySettings {
    PolicySettings::default()
}

fn refused(settings: PolicySettings) -> String {
    Policy::threshold(settings).expect_err("refused").to_string()
}

#[test]
fn the_default_is_fifty_over_five_drilldowns() {
    let policy = Policy::threshold(settings()).unwrap();
    assert_eq!((policy.name(), policy.k(), policy.drilldowns().len()), ("threshold", 50, 5));
    assert_eq!((policy.histogram_drilldown(), policy.guard_networks()), (0, None));
}

#[test]
fn a_small_k_needs_a_word() {
    let message = refused(PolicySettings { k: 9, ..settings() });
    assert_eq!(
        message,
        "release.k is 9, and a group of fewer than 10 sessions is hardly a crowd: raise release.k to 10 or more, or \
         set release.allow_small_k = true"
    );
    assert!(Policy::threshold(PolicySettings { k: 9, allow_small_k: true, ..settings() }).is_ok());
    assert!(Policy::threshold(PolicySettings { k: 10, ..settings() }).is_ok());
    assert!(
        refused(PolicySettings { k: 0, allow_small_k: true, ..settings() }).starts_with("release.k is 0")
    );
}

#[test]
fn keys_out_of_range_are_named() {
    let message = refused(PolicySettings { histogram_drilldown: 5, ..settings() });
    assert!(
        message.starts_with("release.histogram_drilldown is 5, but there are 5 drill-downs"),
        "{message}"
    );
    for networks in [0, 65] {
        let message = refused(PolicySettings { guard_networks: Some(networks), ..settings() });
        assert!(message.starts_with(&format!("release.guard_networks is {networks}")), "{message}");
    }
    let message = refused(PolicySettings { drilldowns: vec![vec![Os], vec![Device]], ..settings() });
    assert!(message.contains("both tell of the platform"), "{message}");
}

#[test]
fn a_crowd_has_k_sessions_and_with_the_guard_m_networks() {
    let plain = Policy::threshold(settings()).unwrap();
    assert!(plain.is_crowd(&cell(50)) && !plain.is_crowd(&cell(49)));
    let guarded = Policy::threshold(PolicySettings { guard_networks: Some(3), ..settings() }).unwrap();
    let of = |sessions, networks| {
        let mut cell = cell(sessions);
        cell.networks = networks;
        cell
    };
    assert!(guarded.is_crowd(&of(50, 0b111)));
    assert!(!guarded.is_crowd(&of(50, 0b110)));
    assert!(!guarded.is_crowd(&of(49, u64::MAX)));
}

#[test]
fn the_fingerprint_is_the_same_in_every_release() {
    // Written down once: a merger compares it with what another process, perhaps an older one, has committed.
    assert_eq!(Policy::threshold(settings()).unwrap().fingerprint(), FINGERPRINT);
}

/// FNV-1a of `threshold;rules=1;k=50;guard=0;histogram=0;drilldowns=country.asn|device.os.browser|…`, reckoned elsewhere.
const FINGERPRINT: u64 = 0xbd8a_4301_b489_11f1;

#[test]
fn the_fingerprint_tells_what_is_released_otherwise_and_nothing_else() {
    let place = || vec![vec![Country, Asn], vec![Device]];
    let different = [
        settings(),
        PolicySettings { k: 51, ..settings() },
        PolicySettings { guard_networks: Some(1), ..settings() },
        PolicySettings { histogram_drilldown: 1, ..settings() },
        PolicySettings { drilldowns: place(), ..settings() },
        PolicySettings { drilldowns: vec![vec![Asn, Country], vec![Device]], ..settings() },
        PolicySettings { drilldowns: vec![vec![Device], vec![Country, Asn]], ..settings() },
        PolicySettings { drilldowns: vec![vec![Country, Asn, Device]], ..settings() },
    ];
    let count = different.len();
    let seen: HashSet<u64> =
        different.into_iter().map(|settings| Policy::threshold(settings).unwrap().fingerprint()).collect();
    assert_eq!(seen.len(), count);
    let same = PolicySettings { allow_small_k: true, allow_below_place: true, ..settings() };
    assert!(seen.contains(&Policy::threshold(same).unwrap().fingerprint()));
}
