//! The events that a player does not report, or reports differently, in the versions in `tests/live/package.json`. If a
//! new version closes a gap, remove it here and in docs/guides/players.md.

use super::scenario::{Fault, Mode, Scenario};

/// Returns true if the player does not report its failure. hls.js sets `fatal` on an error of segments after its CMCD
/// has read it. dash.js reports the error, but not as fatal. Shaka Player reports a failed load only to the caller of
/// `load`.
pub(super) fn hides_failure(scenario: &Scenario) -> bool {
    scenario.mode == Mode::Events
        && matches!(
            (scenario.player, scenario.fault),
            ("hls", Fault::Broken) | ("dash", Fault::Missing | Fault::Broken) | ("shaka", Fault::Missing)
        )
}

/// Returns true if the player does not report that playback was requested. Shaka Player does not report starts, so an
/// attempt that ends before the first frame is not reported.
pub(super) fn hides_attempt(scenario: &Scenario) -> bool {
    scenario.player == "shaka" && scenario.fault == Fault::Missing
}

/// Returns true if the player ends without a report. hls.js does this if it does not report its failure.
pub(super) fn hides_end(scenario: &Scenario) -> bool {
    scenario.player == "hls" && hides_failure(scenario)
}

/// Returns the expected class of the error. hls.js reports none if it does not report the failure. Shaka Player reports
/// errors without a code.
pub(super) fn error_class(scenario: &Scenario) -> Option<&'static str> {
    match (scenario.fault, scenario.mode, scenario.player) {
        (Fault::Broken, Mode::Events, "hls") | (Fault::Missing, _, "shaka") => None,
        (Fault::Broken, _, "shaka") => Some("other"),
        (Fault::Broken, ..) => Some("network"),
        (Fault::Missing, ..) => Some("manifest"),
        _ => None,
    }
}

/// Returns true if the player reports its failure while it still plays its buffer. Shaka Player does this.
pub(super) fn hides_playing(scenario: &Scenario) -> bool {
    scenario.player == "shaka" && scenario.fault == Fault::Broken
}

/// Returns true if the player reports *playing* after a seek while the rate is still 0. Shaka Player does this.
pub(super) fn plays_early(scenario: &Scenario) -> bool {
    scenario.player == "shaka"
}

/// Returns the number of stalls that the player may report in addition to those that the page saw. Shaka Player reports
/// *playing* before the first frame, and may then wait for it. Reports within milliseconds may overtake each other, so
/// the waiting after a seek may arrive before the seek.
pub(super) fn more_stalls(scenario: &Scenario) -> u64 {
    (scenario.player == "shaka" || scenario.mode == Mode::Events && scenario.fault == Fault::Seek).into()
}

/// Returns the maximum length in ms of Shaka Player's additional stall before the first frame. The page counts it as
/// startup.
pub(super) fn stalled_before_first_frame(scenario: &Scenario, startup_ms: f64) -> f64 {
    if scenario.player == "shaka" { startup_ms } else { 0.0 }
}

/// Returns the share of the startup that may pass before the player begins to measure it. dash.js begins after its
/// setup.
pub(super) fn unmeasured_startup(scenario: &Scenario) -> f64 {
    if scenario.player == "dash" { 0.25 } else { 0.05 }
}

/// Returns true if switches are not reported. dash.js has no event for them, and the caller of `beacons.js` must report
/// them.
pub(super) fn hides_switches(scenario: &Scenario) -> bool {
    scenario.player == "dash" || scenario.mode == Mode::Beacons
}
