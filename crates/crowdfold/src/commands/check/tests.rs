use super::*;
use crowdfold_config::{Override, Sources};

const NOISE: [(&str, &str); 4] = [
    ("release.policy", "differential-privacy"),
    ("release.privacy.secret_file", "/nowhere/to/be/found"),
    ("release.breakdowns", r#"[["os", "browser"]]"#),
    ("ttl.beacons", "3h"),
];

/// For differential privacy, `check` prints the noise without reading the file of the secret. Under this policy, the
/// default length of a window is an hour.
#[test]
fn noise_threshold_and_guarantee_over_a_year_are_printed() {
    let text = printed(&NOISE);
    for line in [
        "length = \"1h\"\n",
        "ε = 1, δ = 1e-8 (ρ = 0.016468).\n# N = 24, the maximum number of cells that count one session: 24 windows per \
         day × breakdowns (1).\n",
        "τ + k − 1 = 240 + 49 = 289.",
        "\n# sessions                  1  0.5000         38.2\n",
        "\n# playing_ms          3690000  0.0185",
        "\n# bitrate_kbps              1  0.0185        199.0\n",
        "365 days: ε = 26.4, δ = 1.83e-6. That is weak",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!printed(&[]).contains("Differential"));
    let family = "\n# A family is a set of dimensions that describe the same thing";
    assert!(text.contains(&format!("{family}.\n")), "{text}");
    assert!(printed(&[]).contains(&format!("{family}; no two breakdowns may share one.\n")));
    let mild = [&NOISE[..], &[("release.privacy.epsilon", "0.01")]].concat();
    assert!(!printed(&mild).contains("That is weak"), "with ε = 0.01 for a day, ε is 0.2 for a year");
}

fn printed(flags: &[(&'static str, &str)]) -> String {
    let flags =
        flags.iter().map(|(key, value)| Override { key, value: (*value).into(), flag: "--test" }).collect();
    let config = Config::load(&Sources { flags, host: "host-1".into(), ..Sources::default() }).unwrap();
    let mut out = Vec::new();
    run(&cli::Check::default(), &config, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn content_pattern_that_matches_private_ids_is_reported_as_a_risk() {
    assert!(!printed(&[]).contains("# Content ids that match content.pattern"));
    let numbers = printed(&[("content.pattern", "[0-9]{8,13}")]);
    assert!(numbers.contains("pattern = \"[0-9]{8,13}\""), "{numbers}");
    assert!(
        numbers.contains("# Content ids that match content.pattern are published unchanged"),
        "{numbers}"
    );
    assert!(
        numbers.contains("# The pattern matches numbers with as many digits as a phone number.\n"),
        "{numbers}"
    );
    assert!(!numbers.contains("It matches UUIDs"), "{numbers}");
    let uuids = printed(&[("content.pattern", "[0-9a-f-]{36}")]);
    assert!(
        uuids.contains("# The pattern matches UUIDs, which players use for sessions and devices.\n"),
        "{uuids}"
    );
}

#[test]
fn outage_longer_than_retention_is_reported_with_the_fix() {
    assert!(printed(&[]).contains("# An outage of up to 41m loses no data; ttl.max_outage requires 30m.\n"));
    let short = printed(&[("ttl.max_outage", "43m")]);
    assert!(
        short.contains(
            "# Too short: only an outage of up to 41m loses no data, but ttl.max_outage requires 43m. Raise"
        ),
        "{short}"
    );
    let long_enough = printed(&[("ttl.max_outage", "43m"), ("ttl.beacons", "63m"), ("ttl.partials", "80m")]);
    assert!(long_enough.contains("loses no data; ttl.max_outage requires 43m"), "{long_enough}");
}

#[test]
fn every_topic_and_breakdown_is_listed() {
    let text = printed(&[("tenants.names", "acme,default"), ("tenants.per_tenant_topics", "true")]);
    for name in ["beacons", "partials", "rejections", "rollups.acme", "rollups.default"] {
        assert!(text.contains(&format!("\n# crowdfold.{name} ")), "{name}: {text}");
    }
    assert!(
        text.contains(
            "# stream.format.content: stream\n# cdn.connection: delivery; the detail table, with exact numbers\n"
        ),
        "{text}"
    );
}

#[test]
fn check_reports_a_ttl_that_default_broker_settings_cannot_enforce() {
    let text = printed(&[("ttl.rejections", "1m")]);
    assert!(
        text.contains("longer than its ttl of 1m; configure brokers to check retention more often\n"),
        "{text}"
    );
    assert!(!printed(&[]).contains("beyond"));
}

#[test]
fn check_warns_that_rows_have_only_session_counts_without_a_secret() {
    let text = printed(&[]);
    assert_eq!(text.matches("session counts only").count(), 1, "{text}");
    assert!(text.contains("a row with * has at least 10 possible sizes if other rows"), "{text}");
    let keyed = printed(&[("release.privacy.secret_file", "/nowhere/to/be/found")]);
    assert!(
        !keyed.contains("counts only")
            && keyed.contains("the standard deviation of each number's noise is 8 times"),
        "{keyed}"
    );
    let own = printed(&[("tenants.names", "acme,default"), ("release.tenants.acme.k", "15")]);
    assert!(
        own.contains("\n# In rows of acme, such a small group has at least 7 possible sizes.\n"),
        "{own}"
    );
    let alone = printed(&[("release.breakdowns", r#"[["cdn"]]"#)]);
    assert!(!alone.contains("counts only"), "{alone}");
    assert!(
        alone.contains("# cdn: delivery; the detail table, with exact numbers; the only table\n"),
        "{alone}"
    );
}
