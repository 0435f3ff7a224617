//! What was told of a playback, held to what its page saw.

use serde_json::Value;

use super::scenes::{Mode, Scene, Trouble};
use super::told::Told;

/// Startup: the page's clock starts a moment before the player's, and two digits are kept of the sum.
const STARTUP_MS: f64 = 250.0;
/// Playing: what lies between an event of the element and the player's own for it, and the rounding of each beacon to
/// 100 ms.
const PLAYING_MS: f64 = 700.0;
const STALLED_MS: f64 = 500.0;
/// Bitrate, in parts of what the page saw, where it never changed: two digits are kept. Where it changed, a report is of
/// the time before it and says what the player loads, not what it shows.
const STEADY_BITRATE: f64 = 0.02;
const CHANGED_BITRATE: f64 = 0.25;
/// Frames that were dropped between the last beacon and the page's last look.
const DROPPED_FRAMES: f64 = 5.0;

/// What a player does not tell, or tells otherwise, as of the versions in `tests/live/package.json`. Where one of these
/// is no longer needed a player was mended: take it out here and in the README.
mod gaps {
    use super::{Mode, Scene, Trouble};

    /// hls.js sets `fatal` on an error of segments after its CMCD has looked at it. dash.js tells of the error, but not
    /// that it is fatal. Shaka Player tells of a load that failed by its promise alone.
    pub(super) fn hides_failure(scene: &Scene) -> bool {
        scene.mode == Mode::Events
            && matches!(
                (scene.player, scene.trouble),
                ("hls", Trouble::Broken)
                    | ("dash", Trouble::Gone | Trouble::Broken)
                    | ("shaka", Trouble::Gone)
            )
    }

    /// hls.js, where it hides a failure. Shaka Player tells of errors without a code.
    pub(super) fn error_class(scene: &Scene) -> Option<&'static str> {
        match (scene.trouble, scene.mode, scene.player) {
            (Trouble::Broken, Mode::Events, "hls") | (Trouble::Gone, _, "shaka") => None,
            (Trouble::Broken, _, "shaka") => Some("other"),
            (Trouble::Broken, ..) => Some("network"),
            (Trouble::Gone, ..) => Some("manifest"),
            _ => None,
        }
    }

    /// Shaka Player says that it has failed while it still plays what it has.
    pub(super) fn hides_playing(scene: &Scene) -> bool {
        scene.player == "shaka" && scene.trouble == Trouble::Broken
    }

    /// Shaka Player says that it plays when the element would, though it still holds the picture by a rate of 0: after a
    /// seek it tells so much more of playing.
    pub(super) fn plays_early(scene: &Scene) -> bool {
        scene.player == "shaka"
    }

    /// It does so before the first frame, too, and on a busy machine may wait once more for it: a stall. And what a player
    /// says within milliseconds may overtake itself on its way: its waiting after a seek, the seek.
    pub(super) fn more_stalls(scene: &Scene) -> u64 {
        (scene.player == "shaka" || scene.mode == Mode::Events && scene.trouble == Trouble::Seek).into()
    }

    /// How long that stall before the first frame may be, ms: to the page it is a part of the startup.
    pub(super) fn stalls_before(scene: &Scene, startup_ms: f64) -> f64 {
        if scene.player == "shaka" { startup_ms } else { 0.0 }
    }

    /// dash.js says that it starts once it is set up, which on a busy machine takes its time: a part of the startup.
    pub(super) fn starts_late(scene: &Scene) -> f64 {
        if scene.player == "dash" { 0.25 } else { 0.05 }
    }

    /// dash.js has no event for it; the script for JSON beacons leaves it to whoever knows; what a player turned to
    /// before it failed was never shown.
    pub(super) fn hides_switches(scene: &Scene) -> bool {
        scene.player == "dash" || scene.mode == Mode::Beacons || scene.trouble == Trouble::Broken
    }
}

/// What of a scene's page did not come out as planned, so that nothing would be shown by it.
pub(super) fn unplanned(scene: &Scene, seen: &Value) -> Vec<String> {
    let number = |name: &str| seen[name].as_f64().unwrap_or(0.0);
    let (started, failed, ended) =
        (seen["startup_ms"].is_number(), seen["error"].is_string(), seen["ended"] == true);
    let as_planned = match scene.trouble {
        Trouble::None => ended && number("playing_ms") > 19_000.0,
        Trouble::Stall => ended && number("stalls") >= 1.0 && number("stalled_ms") > 1_500.0,
        Trouble::Gone => !started && failed,
        Trouble::Broken => started && failed && number("playing_ms") > 3_000.0,
        Trouble::Seek => ended && number("seeks") >= 1.0 && number("playing_ms") < 14_000.0,
        Trouble::Slow => ended && number("switches") >= 1.0,
    };
    if as_planned { Vec::new() } else { vec!["the page did not see what was planned".into()] }
}

/// What was told otherwise than it was seen.
pub(super) fn differences(scene: &Scene, seen: &Value, reports: usize, told: &Told) -> Vec<String> {
    let mut found = Differences(Vec::new());
    found.exact("sessions in a window", told.sessions, 1);
    match scene.mode {
        Mode::Query | Mode::Headers => found.exact("beacons", told.beacons, reports as u64),
        Mode::Events | Mode::Beacons => found.playback(scene, seen, told),
    }
    found.0
}

/// Both in one line, to be read: what was seen, and what was told.
pub(super) fn line(scene: &Scene, seen: &Value, told: &Told) -> String {
    let of = |name: &str| seen[name].as_f64().map_or("-".into(), |number| format!("{number:.0}"));
    let mean =
        |(sessions, sum): (u64, u64)| sum.checked_div(sessions).map_or("-".into(), |mean| mean.to_string());
    format!(
        "{:15} startup {:>5} {:>5}  playing {:>5} {:>5}  stalled {:>4} {:>4}  stalls {} {}  kbit/s {:>3} {:>3}",
        scene.id,
        of("startup_ms"),
        mean(told.startup_ms),
        of("playing_ms"),
        told.playing_ms,
        of("stalled_ms"),
        told.stalled_ms,
        of("stalls"),
        told.stalls,
        of("bitrate_kbps"),
        mean(told.bitrate_kbps),
    )
}

struct Differences(Vec<String>);

impl Differences {
    fn exact(&mut self, what: &str, told: u64, seen: u64) {
        if told != seen {
            self.0.push(format!("{what}: {told} told, {seen} seen"));
        }
    }

    fn near(&mut self, what: &str, told: f64, seen: f64, tolerance: f64) {
        if (told - seen).abs() > tolerance {
            self.0.push(format!("{what}: {told:.0} told, {seen:.0} seen, more than {tolerance:.0} apart"));
        }
    }

    fn playback(&mut self, scene: &Scene, seen: &Value, told: &Told) {
        let number = |name: &str| seen[name].as_f64().unwrap_or(0.0);
        let started = seen["startup_ms"].is_number();
        let failed = seen["error"].is_string() && !gaps::hides_failure(scene);
        self.exact("attempts", told.attempts, 1);
        self.exact("plays", told.plays, started.into());
        self.exact("startup failures", told.startup_failures, (failed && !started).into());
        self.exact("playback failures", told.playback_failures, (failed && started).into());
        let classes: Vec<_> = told.errors.keys().map(String::as_str).collect();
        let expected: Vec<_> = gaps::error_class(scene).into_iter().collect();
        if classes != expected {
            self.0.push(format!("classes of errors: {classes:?} told, {expected:?} expected"));
        }
        self.exact("sessions that said their startup", told.startup_ms.0, started.into());
        let startup = number("startup_ms");
        self.near(
            "startup ms",
            told.startup_ms.1 as f64,
            startup,
            STARTUP_MS + startup * gaps::starts_late(scene),
        );
        if scene.minified {
            // it states no state, so there is no time to count
            self.exact("playing ms", told.playing_ms, 0);
        } else {
            if !gaps::hides_playing(scene) {
                let early = if gaps::plays_early(scene) { number("seeking_ms") } else { 0.0 };
                let middle = number("playing_ms") + early / 2.0;
                self.near("playing ms", told.playing_ms as f64, middle, PLAYING_MS + early / 2.0);
            }
            let stalls = number("stalls") as u64;
            let more =
                if told.stalls > stalls { gaps::stalls_before(scene, number("startup_ms")) } else { 0.0 };
            let middle = number("stalled_ms") + more / 2.0;
            self.near("stalled ms", told.stalled_ms as f64, middle, STALLED_MS + more / 2.0);
            if !(stalls..=stalls + gaps::more_stalls(scene)).contains(&told.stalls) {
                self.exact("stalls", told.stalls, stalls);
            }
        }
        if !gaps::hides_switches(scene) {
            self.exact("switches", told.switches, number("switches") as u64);
        }
        if scene.mode == Mode::Beacons {
            self.near("dropped frames", told.dropped_frames as f64, number("dropped_frames"), DROPPED_FRAMES);
        }
        if let Some(seen_kbps) = seen["bitrate_kbps"].as_f64() {
            let (weights, sum) = told.bitrate_kbps;
            let changed = number("switches") > 0.0 || scene.trouble == Trouble::Broken;
            let part = if changed { CHANGED_BITRATE } else { STEADY_BITRATE };
            self.near("kbit/s", sum as f64 / weights as f64, seen_kbps, part * seen_kbps);
        }
    }
}
