//! Formatting of durations.

use std::fmt;
use std::time::Duration;

use super::Millis;
use super::duration::{UNITS, millis};

/// A duration, formatted as in configurations: `44m`, `1h 30m`, `30d`, `250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(
    /// Milliseconds.
    pub Millis,
);

impl From<Duration> for Span {
    fn from(length: Duration) -> Self {
        Self(millis(length))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        let mut shown = 0;
        for (name, unit) in UNITS {
            let count = rest / unit;
            rest %= unit;
            // two units are precise enough
            if count > 0 && shown < 2 {
                write!(f, "{}{count}{name}", if shown > 0 { " " } else { "" })?;
                shown += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn durations_are_formatted_like_those_of_configurations() {
        let shown = [0, 250, 1_000, 90_000, 2_640_000, 5_400_000, 2_592_000_000, 86_400_001];
        let shown = shown.map(|millis| Span(millis).to_string());
        assert_eq!(shown, ["0s", "250ms", "1s", "1m 30s", "44m", "1h 30m", "30d", "1d 1ms"]);
    }
}
