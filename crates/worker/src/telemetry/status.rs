//! The liveness and the readiness of the worker.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crowdfold_model::{Span, Timestamp};

/// A component of the process that reports its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// The combining stage.
    Combine,
    /// The merging stage.
    Merge,
    /// The verification of the topics and their time-to-live.
    Topics,
    /// The deletion of counted beacons.
    Erase,
    /// The collector of beacons (`crowdfold collect`).
    Collect,
}

impl Component {
    /// Returns the name of the component in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Combine => "combine",
            Self::Merge => "merge",
            Self::Topics => "topics",
            Self::Erase => "erase",
            Self::Collect => "collect",
        }
    }
}

/// The time without a report after which a component counts as dead.
const DEAD: Span = Span::MINUTE.times(2);

/// The time without a report after which a stage is reported as waiting for an unresponsive cluster. A stage normally
/// reports every second.
const STUCK: Span = Span::SECOND.times(10);

#[derive(Debug, Default)]
struct State {
    /// The time of the last report of each component.
    alive: BTreeMap<Component, Timestamp>,
    /// The reasons why each component is not ready.
    reasons: BTreeMap<Component, Vec<String>>,
}

/// The liveness and the readiness of the worker. All threads of the worker share this value.
#[derive(Debug)]
pub struct Status(Mutex<State>);

impl Status {
    /// Creates the status of a worker with these components. A component that has not reported yet is not ready. Such a
    /// component does not count as dead, because it may be waiting for a broker.
    #[must_use]
    pub fn new(components: &[Component]) -> Self {
        let reasons = components.iter().map(|component| (*component, vec!["starting".to_owned()])).collect();
        Self(Mutex::new(State { alive: BTreeMap::new(), reasons }))
    }

    /// Records that a component is alive, and the reasons why the component is not ready. A component without reasons
    /// is ready.
    pub fn report(&self, component: Component, now: Timestamp, reasons: Vec<String>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.alive.insert(component, now);
        state.reasons.insert(component, reasons);
    }

    /// Returns a message for each component that counts as dead.
    #[must_use]
    pub fn dead(&self, now: Timestamp) -> Vec<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = state.alive.iter().map(|(component, last)| (component, now.saturating_since(*last)));
        silent
            .filter(|(_, silent)| *silent > DEAD)
            .map(|(component, silent)| {
                format!("{}: no progress for {} s", component.name(), silent.as_secs())
            })
            .collect()
    }

    /// Returns the reasons why the worker is not ready. The list is empty if it is ready.
    #[must_use]
    pub fn not_ready(&self, now: Timestamp) -> Vec<String> {
        let dead = self.dead(now);
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck = [Component::Combine, Component::Merge].into_iter().filter_map(|component| {
            let silent = now.saturating_since(*state.alive.get(&component)?);
            let has_no_reason = state.reasons.get(&component).is_some_and(Vec::is_empty);
            (has_no_reason && silent > STUCK && silent <= DEAD).then(|| {
                format!("{}: the cluster has not answered for {} s", component.name(), silent.as_secs())
            })
        });
        let reasons = state.reasons.iter().flat_map(|(component, reasons)| {
            reasons.iter().map(move |reason| format!("{}: {reason}", component.name()))
        });
        dead.into_iter().chain(stuck).chain(reasons).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn worker_is_ready_only_while_every_component_reports_without_a_reason() {
        let status = Status::new(&[Component::Combine, Component::Merge]);
        assert_eq!(status.not_ready(at(0)), ["combine: starting", "merge: starting"]);
        status.report(Component::Combine, at(10), vec![]);
        status.report(Component::Merge, at(10), vec!["no broker".into()]);
        assert_eq!(status.not_ready(at(10)), ["merge: no broker"]);
        status.report(Component::Merge, at(20), vec![]);
        assert_eq!(status.not_ready(at(20)), Vec::<String>::new());
        status.report(Component::Merge, at(120_000), vec![]);
        assert_eq!(status.not_ready(at(120_011)), ["combine: no progress for 120 s"]);
    }

    #[test]
    fn stage_that_waits_for_the_cluster_is_not_ready_but_not_dead() {
        let status = Status::new(&[Component::Combine, Component::Topics]);
        status.report(Component::Combine, at(0), vec![]);
        // this component reports only every minute, so ten seconds without a report are normal for it
        status.report(Component::Topics, at(0), vec![]);
        assert_eq!(status.not_ready(at(10_000)), Vec::<String>::new());
        assert_eq!(status.not_ready(at(31_000)), ["combine: the cluster has not answered for 31 s"]);
        assert_eq!(status.dead(at(31_000)), Vec::<String>::new());
    }
}
