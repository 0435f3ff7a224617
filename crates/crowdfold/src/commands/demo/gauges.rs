//! Collects the worker's metrics for display. The values are the same as on `/metrics`, where counts are rounded down
//! to multiples of k.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use crowdfold_console::Pipeline;
use crowdfold_model::Span;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

type Values = Mutex<BTreeMap<(String, String), Arc<AtomicU64>>>;

/// The counters and gauges of this process, by the name of the metric and the values of its labels.
#[derive(Default)]
pub(super) struct Gauges(Values);

impl Gauges {
    /// Installs a metrics recorder for this process.
    ///
    /// # Errors
    /// Returns an error if a recorder is already installed.
    pub(super) fn install() -> anyhow::Result<Arc<Self>> {
        let gauges = Arc::new(Self::default());
        metrics::set_global_recorder(Tap(Arc::clone(&gauges)))
            .context("a metrics recorder is already installed")?;
        Ok(gauges)
    }

    /// Returns the number of beacons with an outcome, rounded down to a multiple of k.
    pub(super) fn beacons(&self, outcome: &str) -> u64 {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = values.get(&("crowdfold_beacons_total".to_owned(), outcome.to_owned()));
        held.map_or(0, |value| value.load(Ordering::Relaxed))
    }

    /// Returns the time by which the watermark of each partition is behind the current time.
    pub(super) fn lags(&self) -> Vec<Span> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lags = values.iter().filter(|((name, _), _)| name == "crowdfold_watermark_lag_seconds");
        let millis = |value: &AtomicU64| (f64::from_bits(value.load(Ordering::Relaxed)) * 1_000.0) as u64;
        lags.map(|(_, value)| Span::from_millis(millis(value))).collect()
    }

    /// Returns the state of the worker. `behind` is the time by which event time is behind the current time.
    pub(super) fn pipeline(&self, behind: Span) -> Pipeline {
        let lag = self.lags().into_iter().max().map(|lag| lag.saturating_sub(behind));
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |wanted: &'static str| values.iter().filter(move |((name, _), _)| name == wanted);
        let is_balanced = |value: &AtomicU64| f64::from_bits(value.load(Ordering::Relaxed)) > 0.0;
        Pipeline {
            workers: 1,
            lag_ms: lag.map(Span::as_millis),
            balanced: of("crowdfold_ledger_balanced")
                .map(|(_, value)| is_balanced(value))
                .reduce(|one, other| one && other),
            beacons: of("crowdfold_beacons_total")
                .map(|((_, outcome), value)| (outcome.clone(), value.load(Ordering::Relaxed)))
                .collect(),
            ..Pipeline::default()
        }
    }

    fn value(&self, key: &Key) -> Arc<AtomicU64> {
        let label: Vec<_> = key.labels().map(metrics::Label::value).collect();
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(values.entry((key.name().to_owned(), label.join(","))).or_default())
    }
}

/// The recorder that the macros of the crate `metrics` write to.
struct Tap(Arc<Gauges>);

impl Recorder for Tap {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.0.value(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.0.value(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorder_returns_the_counters_of_the_worker() {
        let gauges = Arc::new(Gauges::default());
        metrics::with_local_recorder(&Tap(Arc::clone(&gauges)), || {
            metrics::counter!("crowdfold_beacons_total", "outcome" => "late").absolute(40);
            metrics::counter!("crowdfold_rejected_total", "reason" => "late").absolute(7);
            metrics::gauge!("crowdfold_ledger_balanced", "stage" => "combine").set(1.0);
            metrics::gauge!("crowdfold_ledger_balanced", "stage" => "merge").set(0.0);
            metrics::gauge!("crowdfold_watermark_lag_seconds", "partition" => "0").set(1.5);
            metrics::gauge!("crowdfold_watermark_lag_seconds", "partition" => "1").set(31.0);
        });
        assert_eq!((gauges.beacons("late"), gauges.beacons("read")), (40, 0));
        assert_eq!(gauges.lags(), [1_500, 31_000].map(Span::from_millis));
        let pipeline = gauges.pipeline(Span::from_millis(30_000));
        assert_eq!((pipeline.workers, pipeline.lag_ms, pipeline.balanced), (1, Some(1_000), Some(false)));
        assert_eq!(pipeline.beacons, [("late".to_owned(), 40)].into());
    }
}
