//! The lag of each partition of beacons.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::Span;
use metrics::gauge;

/// The partitions whose lag this process has reported.
#[derive(Debug, Default)]
pub(crate) struct Lags {
    reported: RefCell<BTreeSet<u32>>,
}

impl Lags {
    /// Writes the lag of each partition of this process. If a partition moved to another worker, its lag becomes NaN.
    /// Otherwise the last value would stay on `/metrics`, and an alert on that value would never end.
    pub(crate) fn write(&self, lags: &BTreeMap<u32, Span>) {
        let mut reported = self.reported.borrow_mut();
        reported.extend(lags.keys());
        for partition in reported.iter() {
            let lag = lags.get(partition).map_or(f64::NAN, |lag| lag.as_secs_f64());
            gauge!("crowdfold_watermark_lag_seconds", "partition" => partition.to_string()).set(lag);
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn lag_of_a_partition_that_moved_to_another_worker_is_nan() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let lags = Lags::default();
        let of = |seconds: &[(u32, u64)]| {
            let lags = seconds.iter().map(|(partition, lag)| (*partition, Span::SECOND.times(*lag)));
            lags.collect::<BTreeMap<_, _>>()
        };
        let lines = || {
            let text = metrics.render();
            let mut lines: Vec<_> =
                text.lines().filter(|line| line.starts_with("crowdfold_")).map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let line = |partition: u32, lag: &str| {
            format!("crowdfold_watermark_lag_seconds{{partition=\"{partition}\"}} {lag}")
        };
        metrics::with_local_recorder(&recorder, || {
            lags.write(&of(&[(0, 90), (1, 400)]));
            assert_eq!(lines(), [line(0, "90"), line(1, "400")]);
            lags.write(&of(&[(0, 91)]));
            assert_eq!(lines(), [line(0, "91"), line(1, "NaN")]);
            lags.write(&of(&[(0, 92), (1, 60)]));
            assert_eq!(lines(), [line(0, "92"), line(1, "60")]);
        });
    }
}
