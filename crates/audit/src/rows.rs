//! Checks a single row: its window, dimensions, policy and numbers.

use crowdfold_model::{Dimension, FOLDED, Reason, Span};
use crowdfold_release::MIN_K;
use crowdfold_scan::{is_dimension_value, is_place_name};

use crate::entry::{Entry, Kind};
use crate::json::Node;
use crate::{Finds, Rules, What, numbers};

const MINUTE: u64 = 60_000;
/// The maximum of the parameter `noise` of a policy.
const MAX_NOISE: u64 = 100;

/// Checks one row.
pub(crate) fn row(row: &Entry<'_>, rules: &Rules, finds: &mut Finds) {
    window(row, finds);
    breakdown(row, rules, finds);
    policy(row, rules, finds);
    if row.policy.kind != Kind::DifferentialPrivacy {
        values(row, rules, finds);
    }
    numbers::check(row, rules.idle_timeout, finds);
    if !(1..=row.rows).contains(&row.row) {
        finds.push(What::Numbers, "/row".into());
    }
}

fn window(row: &Entry<'_>, finds: &mut Finds) {
    let length = row.length();
    if length.is_zero() || !Span::DAY.is_multiple_of(length) || row.start.floor(length) != row.start {
        finds.push(What::Window, "/window".into());
    }
}

fn breakdown(row: &Entry<'_>, rules: &Rules, finds: &mut Finds) {
    if row.breakdown.is_empty() {
        finds.push(What::Dimension, "/breakdown".into());
    }
    for (at, name) in row.breakdown.iter().enumerate() {
        if rules.dimension(row.tenant, name).is_none() || row.breakdown[..at].contains(name) {
            finds.push(What::Dimension, format!("/breakdown/{at}"));
        }
        if row.value(name).is_none() {
            finds.push(What::Missing, "/dimensions".into());
        }
    }
    if row.dimensions.iter().any(|(name, _)| !row.breakdown.contains(&&**name)) {
        finds.push(What::Dimension, "/dimensions".into());
    }
}

fn policy(row: &Entry<'_>, rules: &Rules, finds: &mut Finds) {
    if row.policy.kind == Kind::Unknown {
        finds.push(What::Policy, "/policy/name".into());
    }
    let Some(own) = row.policy.k else {
        finds.push(What::Policy, "/policy/k".into());
        return;
    };
    let noisy = row.policy.kind == Kind::DifferentialPrivacy;
    // Under `differential-privacy`, k may be 1, because noise hides single sessions.
    if own < MIN_K && !rules.allow_small_k && !noisy {
        finds.push(What::SmallK(MIN_K), "/policy/k".into());
    }
    let least = match (noisy, row.policy.tau) {
        (false, _) => own,
        (true, Some(tau)) => tau.saturating_add(own).saturating_sub(1),
        (true, None) => {
            finds.push(What::Policy, "/policy/tau".into());
            own
        }
    };
    let bounds = rules.least.as_ref().filter(|least| least.kind() == row.policy.kind);
    let bounds = bounds.map(|least| least.own.get(row.tenant).unwrap_or(&least.common));
    let wanted = bounds.map_or(0, |bounds| bounds.sessions);
    if row.sessions < least.max(wanted) {
        finds.push(What::BelowK(least.max(wanted)), "/sessions".into());
    }
    if row.policy.kind != Kind::Threshold {
        return;
    }
    let margin = row.policy.margin.filter(|margin| *margin <= own / 2);
    let noise = row.policy.noise.filter(|noise| (1..=MAX_NOISE).contains(noise));
    for (name, declared) in [("margin", margin), ("noise", noise)] {
        if declared.is_none() {
            finds.push(What::Policy, format!("/policy/{name}"));
        }
    }
    let Some(bounds) = bounds else { return };
    for (name, declared, wanted) in
        [("k", Some(own), bounds.sessions), ("margin", margin, bounds.margin), ("noise", noise, bounds.noise)]
    {
        if declared.is_some_and(|declared| declared < wanted) {
            finds.push(What::Weaker(wanted), format!("/policy/{name}"));
        }
    }
    let is_detail =
        bounds.detail.as_deref().is_some_and(|names| names.split('.').eq(row.breakdown.iter().copied()));
    if row.detail == Some(true) && !is_detail && bounds.knows_detail {
        finds.push(What::NotDetail, "/detail".into());
    }
}

fn values(row: &Entry<'_>, rules: &Rules, finds: &mut Finds) {
    let mut star = false;
    for (at, name) in row.breakdown.iter().enumerate() {
        let Some(value) = row.value(name) else { continue };
        // The name of an unknown dimension may contain anything, so a finding must not contain it.
        let field = || {
            rules
                .dimension(row.tenant, name)
                .map_or_else(|| format!("/dimensions/{{{at}}}"), |known| format!("/dimensions/{known}"))
        };
        let reserved = |word: &&str| word.eq_ignore_ascii_case(value.trim()) && *word != value;
        let misused = value != FOLDED && (star || value.contains(FOLDED));
        if misused || ["other", "unknown", "redacted"].iter().any(reserved) {
            finds.push(What::Reserved, field());
        } else if value != FOLDED && !is_value(row.tenant, name, value, rules) {
            finds.push(What::Value, field());
        }
        star |= value == FOLDED;
    }
}

/// Returns true if the airlock accepts a string as a value of the dimension.
fn is_value(tenant: &str, name: &str, value: &str, rules: &Rules) -> bool {
    match rules.dimension(tenant, name) {
        Some(Dimension::Country | Dimension::Region) => is_place_name(value),
        _ => is_dimension_value(value) || rules.is_public_content(name, value),
    }
}

/// Checks a note on a rejected beacon whose structure is valid.
pub(crate) fn rejection(node: &Node<'_>, finds: &mut Finds) {
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
