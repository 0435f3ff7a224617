//! Warnings about beacons that were not counted, and about values that were ignored.

use std::cmp::Reverse;

use crowdfold_airlock::{Ignored, SentFields, Settings};
use crowdfold_engine::{Counts, MergeCounts, Released};
use crowdfold_model::Reason;
use crowdfold_release::{Policies, Policy};
use crowdfold_worker::config::mapped_path;

/// Logs the number of rejected beacons by reason, the number of late beacons, and the number of ignored values by
/// field. Returns the error message of the command if all beacons were rejected.
pub(super) fn report(counts: &Counts, ignored: &Ignored) -> Option<String> {
    let values = ignored.by_field().map(|(_, count)| count).sum::<u64>();
    if values > 0 {
        let values = if values == 1 { "1 value was" } else { &format!("{values} values were") };
        tracing::warn!(
            "{values} ignored because the field does not accept it ({}); a beacon without a usable time or session is \
             rejected, others are counted without the value",
            by_field(ignored)
        );
    }
    let (read, rejected) = (counts.read, counts.rejected());
    if read == 0 {
        tracing::warn!("the input contains no beacons");
    } else if rejected == read {
        let all = if read == 1 { "the only beacon was" } else { &format!("all {read} beacons were") };
        return Some(format!(
            "no beacon could be read: {all} rejected ({}); check the format of the input (--format) and its field \
             names ([source.fields], [source.log])",
            by_reason(counts)
        ));
    } else if rejected > 0 {
        tracing::warn!("{} rejected ({}), of {read} in total", beacons_were(rejected), by_reason(counts));
    }
    if counts.late > 0 {
        tracing::warn!(
            "{} late, of {read} in total, because the window had ended more than windows.lateness before the record's \
             timestamp",
            beacons_were(counts.late)
        );
    }
    None
}

/// Warns of each mapped path that occurs in none of the JSON beacons.
pub(super) fn report_absent(sent_fields: &SentFields, settings: &Settings) {
    let beacons = sent_fields.beacons();
    if beacons == 0 {
        return;
    }
    let of = if beacons == 1 { "the only JSON beacon" } else { &format!("each of {beacons} JSON beacons") };
    for path in sent_fields.absent(settings) {
        let entry = mapped_path(&path);
        tracing::warn!(
            "{entry}: the path is absent from {of}; check it, unless producers seldom send this field"
        );
    }
}

/// Logs the number of withheld session-windows, the reason, and the remedy. The level is `warn` if nothing was
/// released.
pub(super) fn report_withheld(merged: &MergeCounts, policies: &Policies) {
    if merged.session_windows.withheld == 0 {
        return;
    }
    let text = withheld(merged, policies);
    if merged.session_windows.released == 0 {
        tracing::warn!("no rows were written: {text}");
    } else {
        tracing::info!("{text}");
    }
}

/// Describes the withheld session-windows. Under `threshold`, a window is withheld as a whole. Under
/// `differential-privacy`, the counts of a window are those of the breakdown that covers the most session-windows.
fn withheld(merged: &MergeCounts, policies: &Policies) -> String {
    let session_windows = of_total(merged.session_windows);
    let k = range(policies, Policy::k);
    if policies.common().privacy().is_some() {
        let least = range(policies, Policy::min_shown_sessions);
        return format!(
            "{session_windows} session-windows are in no row, even of the breakdown that covers the most of them, because \
             under differential-privacy a row is published only if its session count with noise is at least {least} (for \
             k = {k}); use longer windows (windows.length), breakdowns with fewer dimensions, or input with more sessions"
        );
    }
    let networks = policies.common().min_networks();
    let networks = networks.map_or(String::new(), |least| format!(" from at least {least} networks"));
    format!(
        "{session_windows} session-windows were withheld, in {} windows, because a window of a tenant is published only \
         if it has at least k = {k} sessions{networks}; use longer windows (windows.length) or input with more sessions, \
         or lower release.k for a test",
        of_total(merged.windows)
    )
}

/// Formats the number of withheld items and the number of all items, as `3 of 10`.
fn of_total(counts: Released) -> String {
    format!("{} of {}", counts.withheld, counts.withheld + counts.released)
}

/// Formats a number of all policies, as `50`, or as `50 to 100` if the policies of tenants differ.
fn range(policies: &Policies, number: impl Fn(&Policy) -> u64) -> String {
    let (mut least, mut most) = (u64::MAX, 0);
    for number in policies.all().map(number) {
        (least, most) = (least.min(number), most.max(number));
    }
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

fn beacons_were(count: u64) -> String {
    if count == 1 { "1 beacon was".into() } else { format!("{count} beacons were") }
}

/// Formats the counts of rejected beacons by reason, as `7 no_time, 2 malformed`.
fn by_reason(counts: &Counts) -> String {
    sorted(Reason::ALL.iter().map(|reason| (reason.name(), counts.rejected[*reason as usize])))
}

/// Formats the counts of ignored values by field, as `12 ts, 3 cdn`.
fn by_field(ignored: &Ignored) -> String {
    sorted(ignored.by_field())
}

/// Formats counts and their names, and omits counts of 0. The largest count is first. Equal counts are ordered by name.
fn sorted(counts: impl Iterator<Item = (&'static str, u64)>) -> String {
    let mut counts: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
    counts.sort_by_key(|(name, count)| (Reverse(*count), *name));
    let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    counts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_fields_are_listed_by_descending_count() {
        let mut counts = *Ignored::default().counts();
        for (name, count) in [("height", 3), ("ts", 12), ("cdn", 3), ("opt_out", 1)] {
            let is_named = |index: &usize| {
                let mut one = *Ignored::default().counts();
                one[*index] = 1;
                Ignored::from(one).by_field().any(|field| field == (name, 1))
            };
            counts[(0..counts.len()).find(is_named).expect("a field")] = count;
        }
        assert_eq!(by_field(&counts.into()), "12 ts, 3 cdn, 3 height, 1 opt_out");
        assert_eq!(by_field(&Ignored::default()), "");
    }

    #[test]
    fn rejections_are_an_error_only_if_every_beacon_was_rejected() {
        let mut counts = Counts { read: 10, ..Counts::default() };
        counts.rejected[Reason::Malformed as usize] = 2;
        counts.rejected[Reason::NoTime as usize] = 7;
        assert_eq!(by_reason(&counts), "7 no_time, 2 malformed");
        assert_eq!(report(&counts, &Ignored::default()), None);
        counts.late = 1;
        assert_eq!(report(&counts, &Ignored::default()), None);
        counts.read = 9;
        let error = report(&counts, &Ignored::default()).unwrap();
        let expected = "no beacon could be read: all 9 beacons were rejected (7 no_time, 2 malformed); ";
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(report(&Counts::default(), &Ignored::default()), None);
    }
}
