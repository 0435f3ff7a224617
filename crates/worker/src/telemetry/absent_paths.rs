//! Warns of paths in the configuration that occur in no beacon.

use std::cell::Cell;

use crowdfold_airlock::{SentFields, Settings};
use metrics::gauge;

use crate::config::mapped_path;

/// The number of JSON beacons after which a path without a beacon is probably wrong.
const ENOUGH: u64 = 10_000;

/// The warning about paths in `[source.fields]` and `[dimensions]` that occur in no JSON beacon.
#[derive(Default)]
pub struct AbsentPaths {
    warned: Cell<bool>,
}

impl AbsentPaths {
    /// Sets the gauge to the number of absent paths. The number is 0 until [`ENOUGH`] beacons were read. Then logs a
    /// warning for each absent path, once.
    pub fn report(&self, sent_fields: &SentFields, settings: &Settings) {
        let is_enough = sent_fields.beacons() >= ENOUGH;
        let absent = if is_enough { sent_fields.absent(settings) } else { Vec::new() };
        gauge!("crowdfold_absent_paths").set(absent.len() as f64);
        if is_enough && !self.warned.replace(true) {
            for path in absent {
                let entry = mapped_path(&path);
                tracing::warn!(
                    "{entry}: the path is absent from the first {ENOUGH} JSON beacons that this process has read; \
                     check it, unless producers seldom send this field"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crowdfold_airlock::{Airlock, Record, SessionHasher, Shared};
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn path_that_occurs_in_none_of_ten_thousand_beacons_is_counted_until_it_occurs() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let fields = [("cdn", "net"), ("startup_ms", "first_frame")];
        let fields = fields.map(|(name, path)| (name.to_owned(), vec![path.to_owned()])).into();
        let settings = Settings { fields, ..Settings::default() };
        let shared = Arc::new(Shared::new(settings, SessionHasher::random()).expect("an airlock"));
        let mut airlock = Airlock::new(&shared, None);
        let paths = AbsentPaths::default();
        let mut reported = |beacons: u64, rest: &str| {
            let beacon = format!(r#"{{"ts":1795308528421,"session":"s"{rest}}}"#);
            let record = Record { payload: beacon.as_bytes(), content_type: None, timestamp: None };
            (0..beacons).for_each(|_| airlock.admit(&record, &mut |_, _| {}));
            metrics::with_local_recorder(&recorder, || {
                paths.report(airlock.sent_fields(), shared.settings())
            });
            let text = metrics.render();
            let line = text.lines().find(|line| line.starts_with("crowdfold_absent_paths "));
            (line.and_then(|line| line.split_whitespace().last()?.parse().ok()), paths.warned.get())
        };
        assert_eq!(reported(ENOUGH - 1, ""), (Some(0.0), false));
        assert_eq!(reported(1, r#","net":"a""#), (Some(1.0), true));
        assert_eq!(reported(1, r#","first_frame":850"#), (Some(0.0), true));
    }
}
