//! Formats numbers and times for the demo, and wraps text.

use crowdfold_model::{Span, Timestamp};

/// The width of the column of labels.
const LABEL: usize = 10;

/// Formats a number as `1,234,567`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count and a noun, as `1 window` or `1,234 windows`.
pub(super) fn count(many: u64, what: &str) -> String {
    format!("{} {what}{}", number(many), if many == 1 { "" } else { "s" })
}

/// Formats a time as `16:03:25`, in UTC.
pub(super) fn time(moment: Timestamp) -> String {
    let seconds = moment.since_epoch().as_secs() % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Formats a time as `16:03`, in UTC.
pub(super) fn minute(moment: Timestamp) -> String {
    time(moment)[..5].into()
}

/// Formats a duration in its two largest units, as `2 h 41 min`, `3 min 05 s` or `12 s`.
pub(super) fn span(length: Span) -> String {
    let seconds = length.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// Formats a duration in seconds with one decimal, as `6.2 s`.
pub(super) fn seconds(length: Span) -> String {
    format!("{}.{} s", length.as_secs(), length.as_millis() / 100 % 10)
}

/// Formats a share in percent, or as `-` if the whole is 0.
pub(super) fn percent(part: u64, whole: u64, decimals: usize) -> String {
    if whole == 0 {
        return "-".into();
    }
    format!("{:.decimals$}%", part as f64 * 100.0 / whole as f64)
}

/// Truncates a string to a number of columns. A truncated string ends with `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept + "…"
}

/// Wraps text into lines of at most `columns` columns. Longer words are not divided.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| {
            !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns
        });
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Wraps text into lines of at most `columns` columns. The first line begins with a label, and the other lines are
/// indented.
pub(super) fn labelled(label: &str, text: &str, columns: usize) -> Vec<String> {
    let lines = wrapped(text, columns.saturating_sub(LABEL + 2));
    let label = |at| if at == 0 { label } else { "" };
    lines.iter().enumerate().map(|(at, line)| format!("{:LABEL$}  {line}", label(at))).collect()
}

/// Draws the share of `part` in `whole` as a bar of at most `wide` columns, with a precision of an eighth of a column.
pub(super) fn bar(part: u64, whole: u64, wide: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (part.saturating_mul(wide * 8)).checked_div(whole).unwrap_or(0).clamp(1, wide * 8);
    "█".repeat((eighths / 8) as usize) + EIGHTHS[(eighths % 8) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_formatted_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        let at = Timestamp::from_millis(1_795_308_485_678);
        assert_eq!((time(at), minute(at)), ("00:48:05".into(), "00:48".into()));
        assert_eq!(
            [12_000, 185_000, 9_660_000].map(|millis| span(Span::from_millis(millis))),
            ["12 s", "3 min 05 s", "2 h 41 min"]
        );
        assert_eq!(
            (seconds(Span::from_millis(6_240)), percent(1, 8, 1), percent(0, 0, 1)),
            ("6.2 s".into(), "12.5%".into(), "-".into())
        );
        assert_eq!((cut("Samsung", 7), cut("Samsung", 5)), ("Samsung".into(), "Sams…".into()));
    }

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
        assert_eq!(labelled("beacons", "one two", 16), ["beacons     one", "            two"]);
        assert_eq!((count(1, "window"), count(1_200, "row")), ("1 window".into(), "1,200 rows".into()));
    }

    #[test]
    fn bars_grow_with_their_value_and_are_never_empty() {
        assert_eq!([0, 1, 50, 100].map(|part| bar(part, 100, 4)), ["▏", "▏", "██", "████"]);
        assert_eq!(bar(7, 0, 4), "▏");
    }
}
