use crowdfold_config::Settings;
use crowdfold_model::Span;
use crowdfold_release::{Policy, PolicySettings};

use super::*;

#[test]
fn defaults_of_the_configuration_equal_those_of_the_other_crates() {
    let config = config("").unwrap();
    assert_eq!(*config.policy(), Policy::threshold(PolicySettings::default()).unwrap());
    assert_eq!(
        format!("{:?}", config.airlock().unwrap()),
        format!("{:?}", crowdfold_airlock::Settings::default())
    );
    assert_eq!(config.windows, Settings::default().windows);
}

#[test]
fn rules_contain_the_times_and_limits_of_the_settings() {
    let config =
        config("[windows]\nlength = \"5m\"\nlateness = \"1s\"\n[sessions]\nidle_timeout = \"2s\"\nmax_per_partition = 7\n")
            .unwrap();
    let rules = config.rules();
    let times = [rules.window, rules.lateness, rules.idle].map(Span::as_millis);
    assert_eq!((times, rules.max_sessions), ([300_000, 1_000, 2_000], 7));
}
