//! Builds rows with the program's own folding and noise.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::sync::Arc;

use crowdfold_model::{
    Bounded, Cell, Dimension, Distribution, Span, SumMetric, Sums, Table, Timestamp, ValueMetric, Values,
    Window,
};
use crowdfold_release::{Detail, Policy, PolicySettings, Secret, release};
use crowdfold_testkit::oracle::BOUNDED;
use serde_json::Value;

use crate::scenario::{FIELDS, Group, Rules, Scenario, WINDOW};
use crate::traffic::TABLES;

/// Returns the policy of the rules, with a secret.
pub(crate) fn policy(rules: &Rules, secret: [u8; 32]) -> Policy {
    guarded(rules, secret, None)
}

/// Returns the policy of the rules, with a secret and a minimum number of networks.
pub(crate) fn guarded(rules: &Rules, secret: [u8; 32], networks: Option<u32>) -> Policy {
    let dimensions = |names: &&[&str]| names.iter().map(|name| Dimension::named(name).unwrap()).collect();
    let settings = PolicySettings {
        k: rules.k,
        // Some attacks set the margin to 0, to show that they succeed if there is no margin. This setting allows it.
        allow_small_k: true,
        breakdowns: TABLES.iter().map(dimensions).collect(),
        detail: Detail::Index(rules.detail),
        margin: Some(rules.margin),
        noise: rules.noise,
        min_networks: networks,
        ..PolicySettings::default()
    };
    Policy::threshold(settings).unwrap().keyed(Secret::new(secret))
}

/// Returns the rows of all tables.
pub(crate) fn publish(scenario: &Scenario, policy: &Policy) -> Vec<Value> {
    let table = |groups: &[Group]| -> Table {
        let cell_key = |group: &Group| group.cell_key.iter().map(|value| Arc::from(value.as_str())).collect();
        groups.iter().map(|group| (cell_key(group), cell(group))).collect()
    };
    let tables = scenario.tables.iter().map(|folded| table(&folded.leaves)).collect();
    let window = Window::at(Timestamp::from_millis(scenario.start), Span::from_millis(WINDOW));
    let released = release("default", window, tables, policy, None);
    assert_eq!(released.fault, None);
    released.rollups.iter().map(|rollup| serde_json::from_slice(&rollup.json()).unwrap()).collect()
}

fn cell(group: &Group) -> Cell {
    let field = |name: &str| -> u64 {
        let at = BOUNDED.iter().position(|(field, ..)| *field == name);
        group.raw[at.unwrap()] as u64
    };
    let errors = ["network", "manifest", "media", "drm", "timeout", "other"];
    let mut adds = [0; FIELDS];
    adds.iter_mut().zip(group.adds).for_each(|(to, from)| *to = from as u64);
    Cell {
        sessions: group.sessions,
        networks: group.networks,
        sums: Sums {
            beacons: 6 * group.sessions,
            errors: errors.map(|class| field(&format!("errors.{class}"))),
            ..Sums::of(&[
                (SumMetric::Attempts, field("attempts")),
                (SumMetric::Plays, field("plays")),
                (SumMetric::StartupFailures, field("startup_failures")),
                (SumMetric::PlaybackFailures, field("playback_failures")),
                (SumMetric::PlayingMs, field("playing_ms")),
                (SumMetric::StalledMs, field("stalled_ms")),
                (SumMetric::Stalls, field("stalls")),
                (SumMetric::DroppedFrames, field("dropped_frames")),
                (SumMetric::Switches, field("switches")),
            ])
        },
        values: Values::of([
            (ValueMetric::StartupMs, distribution(field("startup_ms"), group.sessions)),
            (ValueMetric::BandwidthKbps, distribution(field("bandwidth_kbps"), group.sessions)),
            (ValueMetric::BitrateKbps, distribution(field("bitrate_kbps"), group.sessions)),
        ]),
        bounded: Bounded(adds),
    }
}

/// Returns a distribution with this sum. Attacks read only sums.
fn distribution(sum: u64, sessions: u64) -> Distribution {
    let mut distribution = Distribution::default();
    let mean = sum / sessions;
    distribution.record_many(mean as u32, sessions - 1);
    distribution.record((sum - mean * (sessions - 1)) as u32);
    distribution
}
