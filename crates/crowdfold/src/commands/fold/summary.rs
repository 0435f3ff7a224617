//! Warnings about beacons that were not counted.

use crowdfold_airlock::Reason;
use crowdfold_rollup::Counts;

/// Logs how many beacons were rejected, by reason, and how many were late. Returns the error where all of them were
/// rejected.
pub(super) fn report(counts: &Counts) -> Option<String> {
    let (read, rejected) = (counts.read, counts.rejected());
    if read == 0 {
        tracing::warn!("the input contains no beacons");
    } else if rejected == read {
        let all = if read == 1 { "the only beacon was" } else { &format!("all {read} beacons were") };
        return Some(format!(
            "nothing could be read: {all} rejected ({}); check the form of the lines (--format) and the names of their \
             fields ([source.fields], [source.log])",
            by_reason(counts)
        ));
    } else if rejected > 0 {
        tracing::warn!("{} rejected ({}) out of {read}", beacons_were(rejected), by_reason(counts));
    }
    if counts.late > 0 {
        tracing::warn!(
            "{} late out of {read}: the window had ended more than windows.lateness before the record's timestamp",
            beacons_were(counts.late)
        );
    }
    None
}

fn beacons_were(count: u64) -> String {
    if count == 1 { "1 beacon was".into() } else { format!("{count} beacons were") }
}

/// The reasons with a count above 0, largest count first.
fn by_reason(counts: &Counts) -> String {
    let mut reasons: Vec<_> =
        Reason::ALL.iter().map(|reason| (counts.rejected[*reason as usize], reason.name())).collect();
    reasons.retain(|(count, _)| *count > 0);
    reasons.sort_by(|a, b| b.cmp(a));
    let reasons: Vec<_> = reasons.iter().map(|(count, name)| format!("{count} {name}")).collect();
    reasons.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejections_are_reported_as_an_error_only_if_nothing_else_was_read() {
        let mut counts = Counts { read: 10, ..Counts::default() };
        counts.rejected[Reason::Malformed as usize] = 2;
        counts.rejected[Reason::NoTime as usize] = 7;
        assert_eq!(by_reason(&counts), "7 no_time, 2 malformed");
        assert_eq!(report(&counts), None);
        counts.late = 1;
        assert_eq!(report(&counts), None);
        counts.read = 9;
        let error = report(&counts).unwrap();
        let expected = "nothing could be read: all 9 beacons were rejected (7 no_time, 2 malformed); ";
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(report(&Counts::default()), None);
    }
}
