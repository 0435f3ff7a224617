use crowdfold_model::{Span, Timestamp};
use hyper::StatusCode;

use super::{Parameters, step};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn parameters(query: &str) -> Parameters {
    Parameters::parse(query, &["metric", "since", "step", "against"]).unwrap()
}

#[test]
fn times_can_be_absolute_or_relative_to_now() {
    let since = |text: &str| parameters(&format!("since={text}")).time("since", NOW);
    assert_eq!(since("1h").unwrap(), Some(NOW.saturating_sub(Span::HOUR)));
    assert_eq!(since("1799999999000").unwrap(), Some(Timestamp::from_millis(1_799_999_999_000)));
    assert_eq!(since("2026-11-30T08:00:00Z").unwrap().unwrap().to_string(), "2026-11-30T08:00:00Z");
    assert_eq!(since("").unwrap(), None);
    let refused = since("yesterday").unwrap_err();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.message.starts_with("since is \"yesterday\"; set it to a time such as "), "{refused:?}");
    assert_eq!(parameters("against=1w").span("against").unwrap(), Some(Span::DAY.times(7)));
}

#[test]
fn refusal_of_an_unknown_name_lists_the_known_names() {
    let refused = Parameters::parse("colour=red", &["metric", "since"]).unwrap_err();
    assert_eq!(refused.message, "unknown parameter \"colour\"; the parameters are metric, since");
    assert_eq!(parameters("metric=vsf,vsf&metric=vsf,stalls").metrics().unwrap().len(), 2);
    let refused = parameters("metric=vsf,colour").metrics().unwrap_err();
    assert!(refused.message.starts_with("unknown metric \"colour\"; the metrics are sessions, "));
}

#[test]
fn default_step_gives_at_most_240_intervals() {
    let chosen = |period: Span, detail: Span| {
        let times = (NOW.saturating_sub(period), NOW);
        step(&parameters(""), times, Span::MINUTE, NOW.saturating_sub(detail)).unwrap()
    };
    let long = Span::DAY.times(365);
    assert_eq!(chosen(Span::HOUR, long), Span::MINUTE);
    assert_eq!(chosen(Span::DAY, long), Span::MINUTE.times(10));
    assert_eq!(chosen(Span::DAY.times(30), long), Span::HOUR.times(6));
    assert_eq!(chosen(Span::DAY.times(3_650), long), Span::DAY.times(16));
    // windows before the last two days are kept as hours only, so a shorter step is not possible
    assert_eq!(chosen(Span::DAY.times(3), Span::DAY.times(2)), Span::HOUR);
}

#[test]
fn step_that_is_too_short_or_not_a_multiple_of_the_window_is_refused() {
    let asked = |text: &str, detail: Span| {
        let times = (NOW.saturating_sub(Span::DAY.times(7)), NOW);
        step(&parameters(text), times, Span::MINUTE, NOW.saturating_sub(detail))
    };
    assert_eq!(asked("step=15m", Span::DAY.times(30)).unwrap(), Span::MINUTE.times(15));
    assert!(
        asked("step=1m", Span::DAY.times(30)).unwrap_err().message.starts_with("step gives more than 5000")
    );
    assert!(asked("step=15m", Span::DAY).unwrap_err().message.starts_with("step is not a multiple of 1h"));
    assert!(
        asked("step=930s", Span::DAY.times(30)).unwrap_err().message.ends_with("set it to a multiple of 1m")
    );
    assert!(asked("step=soon", Span::DAY).unwrap_err().message.starts_with("step is \"soon\"; set it to"));
}
