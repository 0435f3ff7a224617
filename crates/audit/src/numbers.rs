//! Checks the numbers of one row. Finds fields that the table must not contain, numbers that exceed a total,
//! inconsistent distributions, and sums that clamped sessions cannot have.

use crowdfold_model::{BOUNDED_FIELDS, ErrorClass, FIRST_ERROR, Limit, Metric, Span, SumMetric, ValueMetric};
use crowdfold_release::MIN_IN_RANGE;

use crate::entry::{BOUNDED, DistributionSummary, Entry, Kind, PERCENTILES, Range, is_hidden, pointer};
use crate::{Finds, What};

/// The maximum of noise that is accepted, in standard deviations. The probability of larger noise is 10⁻¹⁵.
pub(crate) const DEVIATIONS: f64 = 8.0;
/// The largest contribution of one session to all fields together. The contributions to the fields, each divided by the
/// clamp of its field, form a vector. This is the maximum length of that vector.
const BUDGET: f64 = 2.0;
/// The longest window that a policy allows. Longer windows are checked with the clamps of this length.
pub(crate) const LONGEST_WINDOW: Span = Span::DAY;

/// Checks the numbers of a row. `idle` is the idle time-out of sessions, or `None` if it is unknown.
pub(crate) fn check(row: &Entry<'_>, idle: Option<Span>, finds: &mut Finds) {
    match row.policy.kind {
        Kind::DifferentialPrivacy => exact(row, finds),
        Kind::Threshold | Kind::Unknown => match row.detail {
            Some(false) => covered(row, finds),
            Some(true) => {
                exact(row, finds);
                whole(row, idle, finds);
            }
            None => {
                finds.push(What::Missing, "/detail".into());
                exact(row, finds);
                whole(row, idle, finds);
            }
        },
    }
}

/// Returns the index in [`BOUNDED_FIELDS`] and the amount of each field.
fn numbers<'e>(row: &'e Entry<'_>) -> impl Iterator<Item = (usize, Option<i64>)> + 'e {
    row.amounts.iter().copied().enumerate()
}

/// Checks a row with exact numbers, or with the noise of `differential-privacy`. In both cases no number may be absent
/// or negative.
fn exact(row: &Entry<'_>, finds: &mut Finds) {
    let is_error = |at| (FIRST_ERROR..FIRST_ERROR + ErrorClass::COUNT).contains(&at);
    for (at, amount) in numbers(row) {
        match amount {
            // Such a row contains only the classes of errors that occurred.
            None if is_error(at) && row.errors.is_some() => {}
            None => finds.push(What::Type, pointer(at)),
            Some(..0) => finds.push(What::NotWhole, pointer(at)),
            Some(_) => {}
        }
    }
    for (metric, amount) in hidden(row) {
        match amount {
            None => finds.push(What::Type, format!("/{}", metric.name())),
            Some(..0) => finds.push(What::NotWhole, format!("/{}", metric.name())),
            Some(_) => {}
        }
    }
    match row.beacons {
        None => finds.push(What::Type, "/beacons".into()),
        Some(..0) => finds.push(What::NotWhole, "/beacons".into()),
        Some(_) => {}
    }
    unknown_classes(row, finds);
    for metric in ValueMetric::ALL {
        // The loop above has checked the sums of all other distributions.
        let is_absent = row.distributions[metric as usize].is_none();
        if is_absent && Metric::Value(metric).bounded_position().is_none() {
            finds.push(What::Type, format!("/{}", metric.name()));
        }
    }
    for (metric, summary) in distributions(row) {
        let name = metric.name();
        match summary.sum {
            _ if Metric::Value(metric).bounded_position().is_some() => {}
            None => finds.push(What::Missing, format!("/{name}/sum")),
            Some(..0) => finds.push(What::NotWhole, format!("/{name}/sum")),
            Some(_) => {}
        }
        if summary.sessions.is_none() {
            finds.push(What::Missing, format!("/{name}/sessions"));
        }
        if !summary.has_percentiles {
            finds.push(What::Missing, format!("/{name}/p50"));
        }
        falling(name, summary, finds);
    }
}

/// Returns the sums that only the detail table contains, each with its amount.
fn hidden<'e>(row: &'e Entry<'_>) -> impl Iterator<Item = (SumMetric, Option<i64>)> + 'e {
    SumMetric::ALL.into_iter().zip(row.hidden).filter(|(metric, _)| is_hidden(*metric))
}

fn distributions<'e>(row: &'e Entry<'_>) -> impl Iterator<Item = (ValueMetric, &'e DistributionSummary)> {
    let metrics = ValueMetric::ALL.into_iter().zip(&row.distributions);
    metrics.filter_map(|(metric, summary)| Some((metric, summary.as_ref()?)))
}

fn unknown_classes(row: &Entry<'_>, finds: &mut Finds) {
    let known = |name: &str| ErrorClass::ALL.iter().any(|class| class.name() == name);
    if row.errors.is_some_and(|errors| errors.iter().any(|(name, _)| !known(name))) {
        finds.push(What::Unknown, "/errors".into());
    }
}

fn falling(name: &str, summary: &DistributionSummary, finds: &mut Finds) {
    let mut last = 0;
    for ((percentile, _), value) in PERCENTILES.iter().zip(summary.percentiles) {
        let Some(value) = value else { continue };
        if value < last {
            finds.push(What::Falling, format!("/{name}/{percentile}"));
        }
        last = value;
    }
}

/// Checks a row with exact numbers. No count of sessions may exceed the sessions of the row, no sum may exceed the
/// limits of its sessions, and each percentile and each range of a histogram must be based on enough sessions.
fn whole(row: &Entry<'_>, idle: Option<Span>, finds: &mut Finds) {
    limits(row, idle, finds);
    for (at, class) in ErrorClass::ALL.iter().enumerate() {
        if row.amounts[FIRST_ERROR + at].is_some_and(|count| count > row.sessions as i64) {
            finds.push(What::Parts, format!("/errors/{}", class.name()));
        }
    }
    for (metric, summary) in distributions(row) {
        let name = metric.name();
        let sessions = summary.sessions.unwrap_or_default();
        if sessions > row.sessions {
            finds.push(What::Parts, format!("/{name}/sessions"));
        }
        for ((percentile, _), value) in PERCENTILES.iter().zip(summary.percentiles) {
            if value.is_some() && summary.sessions.is_some_and(|sessions| sessions < MIN_IN_RANGE) {
                finds.push(What::FewInRange(MIN_IN_RANGE), format!("/{name}/{percentile}"));
            }
        }
        if let Some(ranges) = &summary.histogram {
            if !metric.has_histogram() {
                finds.push(What::NotShown, format!("/{name}/histogram"));
            }
            histogram(name, summary, ranges, finds);
        }
    }
}

/// Checks that no sum exceeds the limit of its sessions, and that the switches up and the switches down together do not
/// exceed all switches. Does not check rows without a valid window, because limits depend on the length of the window.
fn limits(row: &Entry<'_>, idle: Option<Span>, finds: &mut Finds) {
    if row.length().is_zero() {
        return;
    }
    let amount = |metric: SumMetric| {
        let amount = match Metric::Sum(metric).bounded_position() {
            Some(at) => row.amounts[at],
            None => row.hidden[metric as usize],
        };
        amount.and_then(|amount| u64::try_from(amount).ok())
    };
    let exceeds =
        |amount: u64, sessions: u64, each: u64| u128::from(amount) > u128::from(sessions) * u128::from(each);
    for metric in SumMetric::ALL {
        let limit = metric.most();
        let Some(idle) = idle.or((limit != Limit::Span).then_some(Span::ZERO)) else { continue };
        let each = limit.of(row.length().min(LONGEST_WINDOW), idle);
        if amount(metric).is_some_and(|amount| exceeds(amount, row.sessions, each)) {
            let what = if limit == Limit::Fixed(1) { What::Parts } else { What::Clamp };
            finds.push(what, format!("/{}", metric.name()));
        }
    }
    let [all, up, down] = [SumMetric::Switches, SumMetric::SwitchesUp, SumMetric::SwitchesDown].map(amount);
    if let (Some(all), Some(up), Some(down)) = (all, up, down)
        && up.saturating_add(down) > all
    {
        finds.push(What::Parts, format!("/{}", SumMetric::SwitchesUp.name()));
    }
    for (metric, summary) in distributions(row) {
        let (Some(sum), Some(sessions)) = (summary.sum, summary.sessions) else { continue };
        let sum = u64::try_from(sum).unwrap_or_default();
        // Sums are computed from rounded values.
        if exceeds(sum, sessions, metric.largest() + metric.largest() / 10) {
            finds.push(What::Clamp, format!("/{}/sum", metric.name()));
        }
    }
}

fn histogram(name: &str, summary: &DistributionSummary, ranges: &[Range], finds: &mut Finds) {
    let few = ranges.iter().enumerate().filter(|(_, (.., sessions))| *sessions < MIN_IN_RANGE);
    let few: Vec<usize> = few.map(|(number, _)| number).collect();
    for number in &few {
        finds.push(What::FewInRange(MIN_IN_RANGE), format!("/{name}/histogram/{number}"));
    }
    let joined = ranges.windows(2).all(|two| two[0].1 == Some(two[1].0))
        && ranges.iter().all(|(from, to, _)| to.is_none_or(|to| *from < to));
    let ends = ranges.first().is_some_and(|first| first.0 == 0)
        && ranges.last().is_some_and(|last| last.1.is_none());
    let total = ranges.iter().fold(0_u64, |total, (.., sessions)| total.saturating_add(*sessions));
    if !joined || !ends || Some(total) != summary.sessions {
        finds.push(What::Histogram, format!("/{name}/histogram"));
        return;
    }
    // A percentile must be in the range of the histogram in which the running total of sessions reaches the share of
    // the percentile.
    for ((percentile, percent), value) in PERCENTILES.iter().zip(summary.percentiles) {
        let Some(value) = value else { continue };
        let wanted = (u128::from(total) * u128::from(*percent)).div_ceil(100);
        let mut below = 0;
        let fits = ranges.iter().any(|(from, to, sessions)| {
            let before = below;
            below += u128::from(*sessions);
            let here = *from <= value && to.is_none_or(|to| value < to);
            here && before < wanted && wanted <= below
        });
        if !fits {
            finds.push(What::Histogram, format!("/{name}/{percentile}"));
        }
    }
}

/// Checks a row outside the detail table. The session count is exact. Every other number must have noise or be absent.
fn covered(row: &Entry<'_>, finds: &mut Finds) {
    if row.beacons.is_some() {
        finds.push(What::NotShown, "/beacons".into());
    }
    for (metric, _) in hidden(row).filter(|(_, amount)| amount.is_some()) {
        finds.push(What::NotShown, format!("/{}", metric.name()));
    }
    unknown_classes(row, finds);
    for (metric, summary) in distributions(row) {
        let name = metric.name();
        if Metric::Value(metric).bounded_position().is_none() {
            finds.push(What::NotShown, format!("/{name}"));
            continue;
        }
        let shown = [
            ("sessions", summary.sessions.is_some()),
            ("p50", summary.has_percentiles),
            ("histogram", summary.histogram.is_some()),
        ];
        for (part, _) in shown.into_iter().filter(|(_, shown)| *shown) {
            finds.push(What::NotShown, format!("/{name}/{part}"));
        }
    }
    let present = numbers(row).filter(|(_, amount)| amount.is_some()).count();
    if present == 0 && row.errors.is_none() {
        return;
    }
    if present < BOUNDED {
        // Either all numbers must be present or none. If the presence of a number depended on the data, it would reveal
        // something about the data.
        for (at, _) in numbers(row).filter(|(_, amount)| amount.is_none()) {
            finds.push(What::Missing, pointer(at));
        }
        return;
    }
    clamps(row, finds);
}

/// Checks sums of clamped amounts with noise. Each sum must be within the possible contributions of the sessions, and
/// all sums together must be within the contribution budget of the sessions.
fn clamps(row: &Entry<'_>, finds: &mut Finds) {
    let Some(noise) = row.policy.noise.map(|noise| noise as f64) else { return };
    let (sessions, length) = (row.sessions as f64, row.length().min(LONGEST_WINDOW));
    let mut squares = 0.0;
    let mut beyond = false;
    for (at, amount) in numbers(row) {
        let clamped = amount.unwrap_or_default() as f64 / BOUNDED_FIELDS[at].clamp(length) as f64;
        if !(-DEVIATIONS * noise..=sessions + DEVIATIONS * noise).contains(&clamped) {
            finds.push(What::Clamp, pointer(at));
            beyond = true;
        }
        squares += clamped * clamped;
    }
    let most = BUDGET * sessions + noise * ((BOUNDED as f64).sqrt() + DEVIATIONS);
    if !beyond && squares.sqrt() > most {
        finds.push(What::Budget, "".into());
    }
}
