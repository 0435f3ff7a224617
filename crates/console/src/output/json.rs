//! The answer as NDJSON: one object a line, so that it can be cut, joined and streamed like rollups themselves.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Answer;
use crate::group::{Group, mean};
use crate::row::Spread;

impl Answer {
    /// NDJSON: one object for each row, in order, each with a line feed. Sums as in rollups, `null` where a ratio has
    /// nothing to divide by. `tenant` says whose it is, or `tenants` how many were added up. The count is `sessions` or, where a row sums several windows, `session_windows`.
    #[must_use]
    pub fn json(&self) -> String {
        let mut json = String::new();
        for group in &self.groups {
            // Cannot fail: keys are strings, and a String takes everything.
            json.push_str(&serde_json::to_string(&line(self, group)).unwrap_or_default());
            json.push('\n');
        }
        json
    }
}

#[derive(serde::Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenants: Option<usize>,
    from: u64,
    to: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Dimensions<'a>>,
    dimensions: Dimensions<'a>,
    windows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_windows: Option<u64>,
    concurrent_max: u64,
    concurrent_mean: Option<f64>,
    beacons: u64,
    attempts: u64,
    plays: u64,
    startup_failures: u64,
    playback_failures: u64,
    playing_ms: u64,
    stalled_ms: u64,
    stalls: u64,
    dropped_frames: u64,
    switches: u64,
    errors: &'a BTreeMap<String, u64>,
    minutes_watched: Option<f64>,
    rebuffering_ratio: Option<f64>,
    stalls_per_hour: Option<f64>,
    vsf: Option<f64>,
    ebvs: Option<f64>,
    vpf: Option<f64>,
    startup_ms: Values<'a>,
    bandwidth_kbps: Values<'a>,
    bitrate_kbps: Values<'a>,
}

fn line<'a>(answer: &'a Answer, group: &'a Group) -> Line<'a> {
    let sessions = group.sessions();
    let several = answer.spans_windows();
    let attributes = answer.across.unwrap_or(0);
    let (names, values) = (&answer.by[..attributes], &group.label[..attributes]);
    Line {
        tenant: answer.across.is_none().then_some(group.tenant()),
        tenants: answer.across.is_some().then_some(group.tenants.len()),
        from: group.span.start,
        to: group.span.end,
        attributes: answer.across.map(|_| Dimensions(names, values)),
        dimensions: Dimensions(&answer.by[attributes..], &group.label[attributes..]),
        windows: group.windows(),
        sessions: (!several).then_some(sessions),
        session_windows: several.then_some(sessions),
        concurrent_max: group.concurrent_max(),
        concurrent_mean: rounded(group.concurrent_mean(), 1),
        beacons: group.beacons,
        attempts: group.attempts,
        plays: group.plays,
        startup_failures: group.startup_failures,
        playback_failures: group.playback_failures,
        playing_ms: group.playing_ms,
        stalled_ms: group.stalled_ms,
        stalls: group.stalls,
        dropped_frames: group.dropped_frames,
        switches: group.switches,
        errors: &group.errors,
        minutes_watched: rounded(Some(group.minutes_watched()), 1),
        rebuffering_ratio: rounded(group.rebuffering_ratio(), 6),
        stalls_per_hour: rounded(group.stalls_per_hour(), 4),
        vsf: rounded(group.vsf(), 6),
        ebvs: rounded(group.ebvs(), 6),
        vpf: rounded(group.vpf(), 6),
        startup_ms: Values::of(&group.startup),
        bandwidth_kbps: Values::of(&group.bandwidth),
        bitrate_kbps: Values::of(&group.bitrate),
    }
}

/// A spread with its mean.
#[derive(serde::Serialize)]
struct Values<'a> {
    mean: Option<f64>,
    #[serde(flatten)]
    spread: &'a Spread,
}

impl<'a> Values<'a> {
    fn of(spread: &'a Spread) -> Self {
        Self { mean: rounded(mean(spread), 1), spread }
    }
}

struct Dimensions<'a>(&'a [String], &'a [String]);

impl Serialize for Dimensions<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (dimension, value) in self.0.iter().zip(self.1) {
            map.serialize_entry(dimension, value)?;
        }
        map.end()
    }
}

fn rounded(value: Option<f64>, decimals: i32) -> Option<f64> {
    let scale = 10_f64.powi(decimals);
    value.map(|value| (value * scale).round() / scale)
}
