use std::sync::Arc;

use crowdfold_model::Dimension::{Browser, Os};
use crowdfold_model::{Cell, Distribution, Span, SumMetric, Sums, Timestamp, ValueMetric, Values, Window};
use static_assertions::assert_not_impl_any;

use super::{Coverage, Head, Rollup};
use crate::fold::Row;
use crate::testing::cell_key;
use crate::{Policy, PolicySettings};

// A row cannot be copied or deserialized. Its only serialized form is `json()`.
assert_not_impl_any!(Rollup: Clone, Default, serde::Serialize, serde::de::DeserializeOwned, From<Vec<u8>>);
assert_not_impl_any!(crate::RejectionNote: serde::Serialize, Default);

fn distribution(values: &[(u32, u64)]) -> Distribution {
    let mut distribution = Distribution::default();
    values.iter().for_each(|(value, sessions)| distribution.record_many(*value, *sessions));
    distribution
}

/// Returns an example of a row with typical numbers.
fn example(coverage: Option<Coverage>, detail: bool) -> Rollup {
    let head = Head {
        tenant: "acme".into(),
        window: Window::at(Timestamp::from_millis(1_795_308_480_000), Span::MINUTE),
        breakdown: [Os, Browser].into(),
        rows: 12,
        coverage,
        policy: (&Policy::threshold(PolicySettings::default()).unwrap()).into(),
        detail,
    };
    let cell = Cell {
        sessions: 83,
        networks: 0b1011,
        sums: Sums {
            beacons: 412,
            clamped_beacons: 400,
            errors: [1, 0, 0, 0, 2, 0],
            ..Sums::of(&[
                (SumMetric::Attempts, 3),
                (SumMetric::Plays, 3),
                (SumMetric::StartupFailures, 0),
                (SumMetric::PlaybackFailures, 1),
                (SumMetric::PlayingMs, 4_920_000),
                (SumMetric::StalledMs, 12_300),
                (SumMetric::Stalls, 9),
                (SumMetric::DroppedFrames, 31),
                (SumMetric::Switches, 12),
            ])
        },
        values: Values::of([
            (ValueMetric::StartupMs, distribution(&[(800, 2), (950, 1)])),
            (
                ValueMetric::BandwidthKbps,
                distribution(&[(900, 14), (1000, 6), (3900, 25), (5300, 26), (11000, 9)]),
            ),
        ]),
        ..Cell::default()
    };
    Rollup::new(&Arc::new(head), 3, Row { cell_key: cell_key(&["Windows", "*"]), cell })
}

#[test]
fn json_of_a_row_has_all_fields_in_the_documented_order() {
    let rollup = example(None, true);
    assert_eq!(rollup.key(), "acme/os.browser/1795308480000");
    assert_eq!(
        String::from_utf8(rollup.json()).unwrap(),
        concat!(
            r#"{"schema":"crowdfold.rollup/1","tenant":"acme","window":{"start":1795308480000,"end":1795308540000},"#,
            r#""breakdown":["os","browser"],"detail":true,"dimensions":{"os":"Windows","browser":"*"},"row":3,"rows":12,"#,
            r#""sessions":83,"beacons":412,"attempts":3,"plays":3,"startup_failures":0,"playback_failures":1,"#,
            r#""playing_ms":4920000,"stalled_ms":12300,"stalls":9,"dropped_frames":31,"switches":12,"#,
            r#""switches_up":0,"switches_down":0,"seeks":0,"seeking_ms":0,"exits_before_start":0,"good_sessions":0,"#,
            r#""errors":{"network":1,"timeout":2},"#,
            r#""startup_ms":{"sessions":3,"sum":2550,"p50":null,"p90":null,"p95":null,"p99":null},"#,
            r#""bandwidth_kbps":{"sessions":80,"sum":352900,"p50":3900,"p90":null,"p95":null,"p99":null,"#,
            r#""histogram":[[0,1000,14],[1000,4000,31],[4000,null,35]]},"#,
            r#""bitrate_kbps":{"sessions":0,"sum":0,"p50":null,"p90":null,"p95":null,"p99":null},"#,
            r#""live_latency_ms":{"sessions":0,"sum":0,"p50":null,"p90":null,"p95":null,"p99":null},"#,
            r#""ttfb_ms":{"sessions":0,"sum":0,"p50":null,"p90":null,"p95":null,"p99":null},"#,
            r#""policy":{"name":"threshold","k":50,"margin":10,"noise":8}}"#,
        )
    );
}

#[test]
fn without_a_secret_only_the_session_count_is_written_outside_the_detail_table() {
    let Rollup { head, row, cell_key, sessions, .. } = example(None, false);
    let rollup = Rollup::of_covered(&head, row, cell_key, sessions, None);
    let text = String::from_utf8(rollup.json()).unwrap();
    let numbers = text.split_once(r#""rows":12,"#).unwrap().1;
    assert_eq!(
        numbers,
        concat!(
            r#""sessions":83,"beacons":null,"attempts":null,"plays":null,"startup_failures":null,"#,
            r#""playback_failures":null,"playing_ms":null,"stalled_ms":null,"stalls":null,"#,
            r#""dropped_frames":null,"switches":null,"switches_up":null,"switches_down":null,"#,
            r#""seeks":null,"seeking_ms":null,"exits_before_start":null,"good_sessions":null,"errors":null,"startup_ms":null,"bandwidth_kbps":null,"#,
            r#""bitrate_kbps":null,"live_latency_ms":null,"ttfb_ms":null,"#,
            r#""policy":{"name":"threshold","k":50,"margin":10,"noise":8}}"#,
        )
    );
    assert!(text.contains(r#""detail":false,"#));
}

#[test]
fn coverage_is_written_only_when_a_partition_is_missing() {
    let json_with = |coverage| String::from_utf8(example(coverage, false).json()).unwrap();
    assert!(
        json_with(Some(Coverage { partitions: 3, of: 4 }))
            .contains(r#""rows":12,"coverage":{"partitions":3,"of":4},"#)
    );
    assert!(!json_with(Some(Coverage { partitions: 4, of: 4 })).contains("coverage"));
    assert!(!json_with(None).contains("coverage"));
}

#[test]
fn only_the_detail_table_has_histograms() {
    assert!(!String::from_utf8(example(None, false).json()).unwrap().contains("histogram"));
}

#[test]
fn rollup_contains_no_network_bits_and_no_values_of_single_sessions() {
    let debug = format!("{:?}", example(None, true)).replace("DistributionSummary", "summary");
    assert!(
        !debug.contains("1011") && !debug.contains("networks") && !debug.contains("Distribution("),
        "{debug}"
    );
}

#[test]
fn dimension_values_are_escaped_in_json() {
    let mut rollup = example(None, false);
    rollup.cell_key = cell_key(&["a\"b\\", "é\u{1}"]);
    let json: serde_json::Value = serde_json::from_slice(&rollup.json()).unwrap();
    assert_eq!(json["dimensions"], serde_json::json!({"os": "a\"b\\", "browser": "é\u{1}"}));
}
