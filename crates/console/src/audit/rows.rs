//! What one row must be by itself.

use crowdfold_airlock::{Dimension, ErrorClass, Reason};
use crowdfold_release::{LEAST_IN_RANGE, LEAST_K};

use super::json::Node;
use super::{Finds, Rules, What};
use crate::measure::Measure;
use crate::row::{Row, STAR, Spread};

const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;
/// The longest label, characters.
const LONGEST: usize = 64;
/// The policy whose rows are exact.
pub(super) const THRESHOLD: &str = "threshold";
const NOISY: &str = "differential-privacy";

/// Looks at one row.
pub(super) fn row(row: &Row, rules: &Rules, finds: &mut Finds) {
    window(row, finds);
    drilldown(row, finds);
    let noisy = row.policy.name == NOISY;
    policy(row, rules, noisy, finds);
    if !noisy {
        labels(row, finds);
        numbers(row, finds);
        parts(row, finds);
    }
    if !(1..=row.rows).contains(&row.row) {
        finds.push(What::Numbers, "/row".into());
    }
}

fn window(row: &Row, finds: &mut Finds) {
    let length = row.window.end.saturating_sub(row.window.start);
    if length == 0 || !DAY.is_multiple_of(length) || !row.window.start.is_multiple_of(length) {
        finds.push(What::Window, "/window".into());
    }
}

fn drilldown(row: &Row, finds: &mut Finds) {
    if row.drilldown.is_empty() {
        finds.push(What::Dimension, "/drilldown".into());
    }
    for (at, name) in row.drilldown.iter().enumerate() {
        if Dimension::named(name).is_none() || row.drilldown[..at].contains(name) {
            finds.push(What::Dimension, format!("/drilldown/{at}"));
        }
        if !row.dimensions.contains_key(name) {
            finds.push(What::Missing, "/dimensions".into());
        }
    }
    if row.dimensions.keys().any(|name| !row.drilldown.contains(name)) {
        finds.push(What::Dimension, "/dimensions".into());
    }
}

fn policy(row: &Row, rules: &Rules, noisy: bool, finds: &mut Finds) {
    if row.policy.name != THRESHOLD && !noisy {
        finds.push(What::Policy, "/policy/name".into());
    }
    let Some(own) = row.policy.k else {
        finds.push(What::Policy, "/policy/k".into());
        return;
    };
    // differential privacy may have k = 1: there it is noise that hides
    if own < LEAST_K && !rules.allow_small_k && !noisy {
        finds.push(What::SmallK(LEAST_K), "/policy/k".into());
    }
    let own = match (noisy, row.policy.tau) {
        (false, _) => own,
        (true, Some(tau)) => tau.saturating_add(own).saturating_sub(1),
        (true, None) => {
            finds.push(What::Policy, "/policy/tau".into());
            own
        }
    };
    let held_to = rules.least.as_ref().filter(|least| least.policy == row.policy.name);
    let wanted = held_to.map_or(0, |least| *least.own.get(&row.tenant).unwrap_or(&least.common));
    if row.sessions < own.max(wanted) {
        finds.push(What::BelowK(own.max(wanted)), "/sessions".into());
    }
}

fn labels(row: &Row, finds: &mut Finds) {
    let mut star = false;
    for (at, name) in row.drilldown.iter().enumerate() {
        let Some(value) = row.value(name) else { continue };
        // the name only where it is a known one
        let field = Dimension::named(name)
            .map_or_else(|| format!("/dimensions/{{{at}}}"), |known| format!("/dimensions/{known}"));
        let reserved = |word: &&str| word.eq_ignore_ascii_case(value.trim()) && *word != value;
        let misused = value != STAR && (star || value.contains(STAR));
        if misused || ["other", "unknown", "redacted"].iter().any(reserved) {
            finds.push(What::Reserved, field);
        } else if value != STAR && !is_label(value) {
            finds.push(What::Label, field);
        }
        star |= value == STAR;
    }
}

/// What the airlock lets through as a label.
fn is_label(value: &str) -> bool {
    let sign = |sign: char| sign.is_alphanumeric() || " ._-:/+()&".contains(sign);
    !value.is_empty() && value.chars().count() <= LONGEST && value.chars().all(sign)
}

/// Looks for numbers that the row's table does not have: below 0 or absent where they are exact, of unknown noise
/// elsewhere.
fn numbers(row: &Row, finds: &mut Finds) {
    match row.detail {
        None => finds.push(What::Missing, "/detail".into()),
        Some(false) => {
            if row.numbers().is_none() {
                finds.push(What::Policy, "/policy/noise".into());
            }
            return;
        }
        Some(true) => {}
    }
    let amounts = Measure::ALL.map(|measure| (measure.name(), measure.of(row)));
    for (name, amount) in amounts.into_iter().chain([("beacons", row.beacons)]) {
        match amount {
            None => finds.push(What::Type, format!("/{name}")),
            Some(..0) => finds.push(What::NotWhole, format!("/{name}")),
            Some(_) => {}
        }
    }
    match &row.errors {
        None => finds.push(What::Type, "/errors".into()),
        Some(errors) if errors.values().any(|sessions| *sessions < 0) => {
            finds.push(What::NotWhole, "/errors".into());
        }
        Some(_) => {}
    }
}

fn parts(row: &Row, finds: &mut Finds) {
    let exact = row.detail != Some(false);
    for (name, count) in row.errors.iter().flatten() {
        let known = ErrorClass::ALL.into_iter().find(|class| class.name() == name);
        let field = known.map_or("/errors".into(), |class| format!("/errors/{}", class.name()));
        if known.is_none() {
            finds.push(What::Unknown, field);
        } else if exact && u64::try_from(*count).is_ok_and(|count| count > row.sessions) {
            finds.push(What::Parts, field);
        }
    }
    let spreads = [
        ("startup_ms", &row.startup_ms),
        ("bandwidth_kbps", &row.bandwidth_kbps),
        ("bitrate_kbps", &row.bitrate_kbps),
    ];
    for (name, spread) in spreads.into_iter().filter_map(|(name, spread)| Some((name, spread.as_ref()?))) {
        if spread.sessions.is_some_and(|sessions| sessions > row.sessions) {
            finds.push(What::Parts, format!("/{name}/sessions"));
        }
        few_in_range(name, spread, finds);
    }
}

fn few_in_range(name: &str, spread: &Spread, finds: &mut Finds) {
    let percentiles = [("p50", spread.p50), ("p90", spread.p90), ("p95", spread.p95), ("p99", spread.p99)];
    for (percentile, value) in percentiles {
        if value.is_some() && spread.sessions.unwrap_or_default() < LEAST_IN_RANGE {
            finds.push(What::FewInRange(LEAST_IN_RANGE), format!("/{name}/{percentile}"));
        }
    }
    let ranges = spread.histogram.iter().flatten().enumerate();
    for (number, _) in ranges.filter(|(_, (.., sessions))| *sessions < LEAST_IN_RANGE) {
        finds.push(What::FewInRange(LEAST_IN_RANGE), format!("/{name}/histogram/{number}"));
    }
}

/// Looks at one rejection of the right shape.
pub(super) fn rejection(node: &Node, finds: &mut Finds) {
    let reason = node.member("reason").and_then(Node::text).unwrap_or_default();
    if !Reason::ALL.into_iter().any(|known| known.name() == reason) {
        finds.push(What::Reason, "/reason".into());
    }
    if let Some(Node::Whole(time)) = node.member("time")
        && !time.is_multiple_of(MINUTE)
    {
        finds.push(What::Minute, "/time".into());
    }
}
