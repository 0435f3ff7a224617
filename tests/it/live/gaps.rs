//! The gaps in the reports of players: events that a player does not report or reports differently, in the versions in
//! `tests/live/package.json`. If a new version closes a gap, remove the gap here and in docs/guides/players.md.

use super::scenario::{Fault, Mode, Scenario};

/// Returns true if the player does not report that playback failed. hls.js marks an error of a segment as fatal only
/// after it has reported the error. dash.js reports the error, but not as fatal. Shaka Player reports a failed load
/// only to the caller of `load`.
pub(super) fn hides_failure(scenario: &Scenario) -> bool {
    scenario.mode == Mode::Events
        && matches!(
            (scenario.player, scenario.fault),
            ("hls", Fault::Broken) | ("dash", Fault::Missing | Fault::Broken) | ("shaka", Fault::Missing)
        )
}

/// Returns true if the player does not report the attempt to play. Shaka Player does not report the start of playback,
/// so an attempt that fails before the first frame is not reported at all.
pub(super) fn hides_attempt(scenario: &Scenario) -> bool {
    scenario.player == "shaka" && scenario.fault == Fault::Missing
}

/// Returns true if the player sends no report when it ends. hls.js sends none if it has not reported its failure.
pub(super) fn hides_end(scenario: &Scenario) -> bool {
    scenario.player == "hls" && hides_failure(scenario)
}

/// Returns the error class that is expected in rows, or `None` if no error is expected. hls.js reports no error if it
/// has not reported its failure. Shaka Player reports errors without a code.
pub(super) fn error_class(scenario: &Scenario) -> Option<&'static str> {
    match (scenario.fault, scenario.mode, scenario.player) {
        (Fault::Broken, Mode::Events, "hls") | (Fault::Missing, _, "shaka") => None,
        (Fault::Broken, _, "shaka") => Some("other"),
        (Fault::Broken, ..) => Some("network"),
        (Fault::Missing, ..) => Some("manifest"),
        _ => None,
    }
}

/// Returns true if the player reports its failure while it is still playing from its buffer, as Shaka Player does.
pub(super) fn hides_playing(scenario: &Scenario) -> bool {
    scenario.player == "shaka" && scenario.fault == Fault::Broken
}

/// Returns true if the player reports *playing* after a seek although it does not play yet, as Shaka Player does.
pub(super) fn plays_early(scenario: &Scenario) -> bool {
    scenario.player == "shaka"
}

/// Returns the number of stalls that the player may report in addition to those that the page measured. There are two
/// reasons. Shaka Player reports *playing* before the first frame, and may then report *waiting* until the frame is
/// shown. Reports that are sent within milliseconds may also arrive in another order. If a report of *waiting* arrives
/// before the report of its seek, it counts as a stall.
pub(super) fn more_stalls(scenario: &Scenario) -> u64 {
    (scenario.player == "shaka" || scenario.mode == Mode::Events && scenario.fault == Fault::Seek).into()
}

/// Returns the maximum length of a stall that Shaka Player may report before the first frame, in milliseconds. The page
/// measures this time as startup time.
pub(super) fn stalled_before_first_frame(scenario: &Scenario, startup_ms: f64) -> f64 {
    if scenario.player == "shaka" { startup_ms } else { 0.0 }
}

/// Returns the share of the startup time that may pass before the player begins its own measurement. dash.js begins
/// after its setup.
pub(super) fn unmeasured_startup(scenario: &Scenario) -> f64 {
    if scenario.player == "dash" { 0.25 } else { 0.05 }
}

/// Returns true if the player does not report switches between renditions. dash.js has no event for switches, and
/// `beacons.js` expects its caller to report them.
pub(super) fn hides_switches(scenario: &Scenario) -> bool {
    scenario.player == "dash" || scenario.mode == Mode::Beacons
}
