//! The state of the workers, which the page shows.

use std::collections::BTreeMap;

use serde::Serialize;

#[cfg(test)]
mod tests;

/// The state of the workers, from their metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pipeline {
    /// The number of workers whose metrics were read.
    pub workers: u64,
    /// The addresses of workers whose metrics could not be read.
    pub unreachable: Vec<String>,
    /// The time by which the watermark of the slowest partition is behind the current time, in milliseconds. `None` if
    /// no worker reports a watermark.
    pub lag_ms: Option<u64>,
    /// The shortest time until a record that a worker still needs may expire, in milliseconds. `None` if no worker
    /// reports it.
    pub headroom_ms: Option<u64>,
    /// False if the ledger of a worker does not account for every beacon. `None` if no worker reports it.
    pub balanced: Option<bool>,
    /// The number of beacons with each outcome since the start of the workers. Each worker rounds its numbers down to
    /// multiples of *k*.
    pub beacons: BTreeMap<String, u64>,
}

impl Pipeline {
    /// Adds the metrics of a worker, in the text format of Prometheus. Other metrics and invalid lines are ignored.
    pub fn add(&mut self, metrics: &str) {
        self.workers += 1;
        for line in metrics.lines() {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            // the value is not a number if the worker does not know it, for example after it has lost a partition
            let Some(value) = value.parse::<f64>().ok().filter(|value| value.is_finite()) else { continue };
            match name {
                "crowdfold_watermark_lag_seconds" => self.lag_ms = self.lag_ms.max(Some(millis(value))),
                "crowdfold_ttl_headroom_seconds" => {
                    let millis = millis(value);
                    self.headroom_ms = Some(self.headroom_ms.map_or(millis, |least| least.min(millis)));
                }
                "crowdfold_ledger_balanced" => {
                    self.balanced = Some(self.balanced.unwrap_or(true) && value > 0.0);
                }
                "crowdfold_beacons_total" => {
                    let Some(outcome) = label(labels, "outcome") else { continue };
                    let sum = self.beacons.entry(outcome.to_owned()).or_default();
                    *sum = sum.saturating_add(value as u64);
                }
                _ => {}
            }
        }
    }
}

/// Converts seconds to milliseconds. A negative time becomes 0.
fn millis(seconds: f64) -> u64 {
    (seconds * 1_000.0) as u64
}

/// Returns the value of a label. `labels` is the text after the brace.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = labels.trim_end_matches('}').split(',');
    pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'))
}
