use std::collections::HashSet;

use crowdfold_model::Dimension::{Asn, Country, Device, Os};

use super::{Detail, Policy, PolicySettings};
use crate::Secret;
use crate::testing::cell;

fn settings() -> PolicySettings {
    PolicySettings::default()
}

fn refused(settings: PolicySettings) -> String {
    Policy::threshold(settings).expect_err("refused").to_string()
}

#[test]
fn default_policy_has_k_50_and_five_breakdowns() {
    let policy = Policy::threshold(settings()).unwrap();
    assert_eq!((policy.name(), policy.k(), policy.breakdowns().len()), ("threshold", 50, 5));
    assert_eq!((policy.detail(), policy.min_networks()), (Some(4), None));
    assert_eq!((policy.margin(), policy.noise(), policy.is_noisy()), (10, 8, false));
}

#[test]
fn small_k_is_refused_unless_allowed() {
    let message = refused(PolicySettings { k: 9, ..settings() });
    assert_eq!(message, "k is 9, but a row must cover at least 10 sessions; raise k to 10 or more");
    assert!(Policy::threshold(PolicySettings { k: 9, allow_small_k: true, ..settings() }).is_ok());
    assert!(Policy::threshold(PolicySettings { k: 10, ..settings() }).is_ok());
    assert!(refused(PolicySettings { k: 0, allow_small_k: true, ..settings() }).starts_with("k is 0"));
}

#[test]
fn setting_out_of_range_is_refused_with_its_key() {
    let message = refused(PolicySettings { detail: Detail::Index(5), ..settings() });
    assert!(
        message.starts_with("the breakdown of the detail table is number 5, but there are 5"),
        "{message}"
    );
    for noise in [0, 101] {
        let message = refused(PolicySettings { noise, ..settings() });
        assert_eq!(message, format!("the noise is {noise}; set it to a value from 1 to 100, such as 8"));
    }
    for networks in [0, 65] {
        let message = refused(PolicySettings { min_networks: Some(networks), ..settings() });
        assert!(message.starts_with(&format!("the minimum number of networks is {networks}")), "{message}");
    }
    let message = refused(PolicySettings { breakdowns: vec![vec![Os], vec![Device]], ..settings() });
    assert!(message.contains("both describe the platform"), "{message}");
}

#[test]
fn margin_is_at_most_half_of_k_and_may_be_zero_only_if_a_small_k_is_allowed() {
    let margin = |k, margin, allow_small_k| {
        let settings = PolicySettings { k, margin, allow_small_k, ..settings() };
        Policy::threshold(settings).map(|policy| policy.margin()).map_err(|error| error.to_string())
    };
    assert_eq!(margin(50, None, false), Ok(10));
    assert_eq!(margin(19, None, false), Ok(9));
    assert_eq!(margin(1, None, true), Ok(0));
    assert_eq!(margin(50, Some(25), false), Ok(25));
    assert_eq!(margin(50, Some(0), true), Ok(0));
    assert_eq!(
        margin(51, Some(26), true),
        Err("the margin is 26, above half of k, which is 51; set the margin to a value from 1 to 25".into())
    );
    assert!(margin(50, Some(0), false).unwrap_err().starts_with("the margin is 0, so that small"));
}

#[test]
fn detail_table_is_the_table_of_the_last_breakdown_by_default() {
    let detail = |detail| Policy::threshold(PolicySettings { detail, ..settings() }).unwrap().detail();
    assert_eq!(detail(Detail::Last), Some(4));
    assert_eq!(detail(Detail::Index(0)), Some(0));
    assert_eq!(detail(Detail::None), None);
}

#[test]
fn cell_is_a_crowd_only_with_k_sessions_and_the_minimum_number_of_networks() {
    let plain = Policy::threshold(settings()).unwrap();
    assert!(plain.is_crowd(&cell(50)) && !plain.is_crowd(&cell(49)));
    let guarded = Policy::threshold(PolicySettings { min_networks: Some(3), ..settings() }).unwrap();
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
fn fingerprint_of_the_default_policy_never_changes() {
    // The value is fixed, because a merger compares it with a value that another process committed. That process may be
    // an older release.
    assert_eq!(Policy::threshold(settings()).unwrap().fingerprint(), FINGERPRINT);
}

/// The FNV-1a hash of `threshold;rules=1;k=50;guard=0;detail=4;breakdowns=country.asn|device.os.browser|…;
/// margin=10;noise=8;secret=0000000000000000`, computed by another program.
const FINGERPRINT: u64 = 0xae2f_d3e5_f8a4_05db;

#[test]
fn fingerprint_changes_with_every_setting_that_changes_rows_and_with_no_other_setting() {
    let place = || vec![vec![Country, Asn], vec![Device]];
    let different = [
        settings(),
        PolicySettings { k: 51, ..settings() },
        PolicySettings { min_networks: Some(1), ..settings() },
        PolicySettings { detail: Detail::Index(1), ..settings() },
        PolicySettings { detail: Detail::None, ..settings() },
        PolicySettings { margin: Some(9), ..settings() },
        PolicySettings { noise: 9, ..settings() },
        PolicySettings { breakdowns: place(), ..settings() },
        PolicySettings { breakdowns: vec![vec![Asn, Country], vec![Device]], ..settings() },
        PolicySettings { breakdowns: vec![vec![Device], vec![Country, Asn]], ..settings() },
        PolicySettings { breakdowns: vec![vec![Country, Asn, Device]], ..settings() },
    ];
    let count = different.len();
    let mut seen: HashSet<u64> =
        different.into_iter().map(|settings| Policy::threshold(settings).unwrap().fingerprint()).collect();
    assert_eq!(seen.len(), count);
    let same = PolicySettings { allow_small_k: true, allow_below_place: true, ..settings() };
    assert!(seen.contains(&Policy::threshold(same).unwrap().fingerprint()));
    for secret in [1, 2] {
        let keyed = Policy::threshold(settings()).unwrap().keyed(Secret::new([secret; 32]));
        assert!(seen.insert(keyed.fingerprint()), "a secret changes the published rows");
    }
}
