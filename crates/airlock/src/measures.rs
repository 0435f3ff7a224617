//! Reads the numbers of a beacon, and rounds them.

use crowdfold_beacon::{Amount, Beacon, Mode, Number, Text, is_nothing, trimmed};
use crowdfold_model::{ErrorClass, SumMetric, Unit, ValueMetric};

use crate::{Measures, State, cmcd};

/// Returns the numbers of a beacon, rounded half up, and the events that follow from them (docs/internals/cmcd.md,
/// "What a session contributes"). `logged` is the time to the first byte in a log. It counts only for requests for
/// media.
#[inline]
pub(crate) fn measures(beacon: &Beacon<'_>, logged: Option<Amount>) -> Measures {
    let mut common = Measures::default();
    for (metric, amount) in beacon.values() {
        common.values[metric as usize] = Some(narrow(amount.to_two_digits()));
    }
    let event = beacon.text(Text::Event).unwrap_or_default();
    if beacon.mode != Mode::Json {
        if let Some(ttfb) = logged.filter(|_| beacon.media && beacon.mode == Mode::Request) {
            common.values[ValueMetric::TtfbMs as usize].get_or_insert(narrow(ttfb.to_two_digits()));
        }
        return of_state(beacon, event, common);
    }
    let error = json_error(beacon, event);
    let is = |name: &str| event.eq_ignore_ascii_case(name);
    let (attempt, play) = (is("attempt"), is("play") || common.value(ValueMetric::StartupMs).is_some());
    let mut sums = [0; SumMetric::COUNT];
    for (metric, amount) in beacon.sums().filter(|(metric, _)| metric.is_in_beacons()) {
        sums[metric as usize] = narrow(match metric.unit() {
            Unit::Milliseconds => amount.to_multiple_of(100),
            Unit::Count | Unit::Kbps => amount.rounded(),
        });
    }
    let switches =
        sums[SumMetric::SwitchesUp as usize].saturating_add(sums[SumMetric::SwitchesDown as usize]);
    sums[SumMetric::Switches as usize] = sums[SumMetric::Switches as usize].max(switches);
    let (playing_ms, fatal) = (sums[SumMetric::PlayingMs as usize], beacon.fatal && error.is_some());
    // A playing time that is rounded to 0 still shows that the player plays. In the event `end`, it does not show this,
    // because players that have failed report remaining time in this event.
    let playing = Number::Sum(SumMetric::PlayingMs);
    let is_short = || beacon.number(playing).is_some_and(|amount| amount.rounded() > 0);
    let plays = playing_ms > 0 || !is("end") && is_short();
    Measures {
        attempt,
        play: play || plays,
        idle: !(attempt || play || plays || fatal),
        end: is("end"),
        error,
        fatal,
        sums,
        ..common
    }
}

/// Returns the attempt, play, idle and error of a CMCD record, which follow from its state. Sums are not computed here,
/// because they also depend on other records of the session.
fn of_state(beacon: &Beacon<'_>, event: &str, common: Measures) -> Measures {
    use State as S;
    let state = cmcd::state(beacon);
    // When dash.js starts, it sends a startup time of a few milliseconds before anything has played. If the manifest is
    // missing, it sends the startup time when it fails.
    let is_unplayed = matches!(state, Some(S::Starting | S::Preloading | S::Failed | S::Quit));
    let mut values = common.values;
    let startup_ms = &mut values[ValueMetric::StartupMs as usize];
    *startup_ms = startup_ms.filter(|_| !is_unplayed);
    let has_startup = startup_ms.is_some();
    Measures {
        attempt: state == Some(S::Starting),
        // Minified builds of Shaka Player send a startup time without a state if a first frame was shown. dash.js sends
        // a startup time with a state while it still waits for media.
        play: state == Some(S::Playing) || has_startup && state.is_none(),
        idle: matches!(state, Some(S::Paused | S::Ended)),
        end: state == Some(S::Quit),
        values,
        error: cmcd::error(beacon, event),
        fatal: beacon.fatal,
        ..common
    }
}

/// Converts an amount to 32 bits. Amounts always fit, because they are limited to much smaller values when they are
/// read.
pub(crate) fn narrow(amount: u64) -> u32 {
    u32::try_from(amount).unwrap_or(u32::MAX)
}

/// Returns the class of the error in a JSON beacon. Returns `Other` for the event `error` without a class, and `None`
/// if the beacon contains neither.
pub(crate) fn json_error(beacon: &Beacon<'_>, event: &str) -> Option<ErrorClass> {
    let Some(class) = beacon.text(Text::Error).map(trimmed).filter(|class| !is_nothing(class)) else {
        return event.eq_ignore_ascii_case("error").then_some(ErrorClass::Other);
    };
    let named = ErrorClass::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(class));
    Some(named.unwrap_or(ErrorClass::Other))
}

/// Returns the bitrate without rounding. It determines the quality if the beacon has no height.
pub(crate) fn bitrate(beacon: &Beacon<'_>) -> Option<u64> {
    beacon.number(Number::Value(ValueMetric::BitrateKbps)).map(Amount::rounded)
}

#[cfg(test)]
mod tests;
