//! Adds up the published rows of each content id over all windows.

use std::collections::BTreeMap;

use serde_json::Value;

/// The sums over the rows of one content id.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    /// The highest number of sessions in a window.
    pub(super) sessions: u64,
    pub(super) windows: u64,
    pub(super) beacons: u64,
    pub(super) attempts: u64,
    pub(super) plays: u64,
    pub(super) startup_failures: u64,
    pub(super) playback_failures: u64,
    pub(super) playing_ms: u64,
    pub(super) stalled_ms: u64,
    pub(super) stalls: u64,
    pub(super) switches: u64,
    pub(super) switches_up: u64,
    pub(super) switches_down: u64,
    pub(super) seeks: u64,
    pub(super) seeking_ms: u64,
    pub(super) dropped_frames: u64,
    /// The number of sessions with a startup time, and the sum of their startup times.
    pub(super) startup_ms: (u64, u64),
    /// The sum of the weights of the windows, and the weighted sum of their bitrates. The weight of a window is its
    /// playing time.
    pub(super) bitrate_kbps: (u64, u64),
    /// The sum of the weights of the windows with a live latency, and the weighted sum of their live latencies. The
    /// weight of a window is its playing time.
    pub(super) live_latency_ms: (u64, u64),
    /// The start, the end and the time to first byte of each window that has one.
    pub(super) ttfb_ms: Vec<(u64, u64, u64)>,
    pub(super) errors: BTreeMap<String, u64>,
}

/// Adds up the rows of the breakdown `stream, format, content`, by content id.
pub(super) fn by_content(rows: &[Value]) -> BTreeMap<String, Published> {
    let mut published = BTreeMap::<String, Published>::new();
    for row in rows.iter().filter(|row| row["dimensions"]["content"].is_string()) {
        let sums = published.entry(row["dimensions"]["content"].as_str().unwrap().to_owned()).or_default();
        let number = |name: &str| row[name].as_u64().unwrap();
        sums.windows += 1;
        sums.sessions = sums.sessions.max(number("sessions"));
        for (sum, name) in [
            (&mut sums.beacons, "beacons"),
            (&mut sums.attempts, "attempts"),
            (&mut sums.plays, "plays"),
            (&mut sums.startup_failures, "startup_failures"),
            (&mut sums.playback_failures, "playback_failures"),
            (&mut sums.playing_ms, "playing_ms"),
            (&mut sums.stalled_ms, "stalled_ms"),
            (&mut sums.stalls, "stalls"),
            (&mut sums.switches, "switches"),
            (&mut sums.switches_up, "switches_up"),
            (&mut sums.switches_down, "switches_down"),
            (&mut sums.seeks, "seeks"),
            (&mut sums.seeking_ms, "seeking_ms"),
            (&mut sums.dropped_frames, "dropped_frames"),
        ] {
            *sum += number(name);
        }
        let of = |name: &str| {
            let amounts = &row[name];
            (amounts["sessions"].as_u64().unwrap(), amounts["sum"].as_u64().unwrap())
        };
        let (startup, bitrate) = (of("startup_ms"), of("bitrate_kbps"));
        sums.startup_ms.0 += startup.0;
        sums.startup_ms.1 += startup.1;
        // If the reports contain no player states, there is no playing time, and all windows have the same weight.
        let weight = number("playing_ms").max(1);
        sums.bitrate_kbps.0 += weight * bitrate.0;
        sums.bitrate_kbps.1 += weight * bitrate.1;
        let (latency, ttfb) = (of("live_latency_ms"), of("ttfb_ms"));
        sums.live_latency_ms.0 += weight * latency.0;
        sums.live_latency_ms.1 += weight * latency.1;
        if ttfb.0 > 0 {
            let time = |name: &str| row["window"][name].as_u64().unwrap();
            sums.ttfb_ms.push((time("start"), time("end"), ttfb.1));
        }
        for (class, sessions) in row["errors"].as_object().unwrap() {
            *sums.errors.entry(class.clone()).or_default() += sessions.as_u64().unwrap();
        }
    }
    published
}
