//! Checks that the retention of each topic is long enough.

use std::time::Duration;

use crowdfold_model::show_duration;

use crate::bounds::Bounds;
use crate::error::ConfigError;
use crate::loaded::Loaded;

pub(super) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let settings = &loaded.settings;
    let (windows, ttl) = (&settings.windows, &settings.ttl);
    let length = ("windows.length", windows.length);
    let outage = ("ttl.max_outage", ttl.max_outage);
    let beacons = Need {
        ttl: ("ttl.beacons", ttl.beacons),
        ahead: settings.source.ahead(),
        parts: &[
            length,
            ("windows.lateness", windows.lateness),
            ("sessions.idle_timeout", settings.sessions.idle_timeout),
            outage,
        ],
    };
    let partials = Need {
        ttl: ("ttl.partials", ttl.partials),
        ahead: Duration::ZERO,
        parts: &[length, ("merge.timeout", settings.merge.timeout), outage],
    };
    beacons.check(loaded)?;
    partials.check(loaded)
}

/// The time for which a topic must keep its records, so that the worker loses none.
struct Need<'a> {
    /// The key and the value of the time-to-live.
    ttl: (&'a str, Duration),
    /// The maximum time by which the timestamp of a record may be ahead of the broker's clock.
    ahead: Duration,
    /// The keys and the values that add up to the required time.
    parts: &'a [(&'a str, Duration)],
}

impl Need<'_> {
    /// Refuses a time-to-live that is too short for every broker. `topics check` uses the actual settings of the
    /// brokers, and may require a longer time-to-live.
    fn check(&self, loaded: &Loaded) -> Result<(), ConfigError> {
        let (key, ttl) = self.ttl;
        let need: Duration = self.parts.iter().map(|(_, part)| part).sum();
        let retention = Bounds::at_best(ttl, self.ahead).retention;
        if need <= retention {
            return Ok(());
        }
        let parts: Vec<_> =
            self.parts.iter().map(|(key, part)| format!("{key} {}", show_duration(*part))).collect();
        let message = format!(
            "is {}, which leaves a retention of at most {}, less than {}; raise {key} to {}, or lower one of the others",
            show_duration(ttl),
            show_duration(retention),
            parts.join(" + "),
            show_duration(Bounds::least_ttl(need, self.ahead)),
        );
        let keys = std::iter::once(key).chain(self.parts.iter().rev().map(|(key, _)| *key));
        let origin = keys.into_iter().find(|key| loaded.is_given(key)).unwrap_or(key);
        Err(loaded.error_at(origin, key, message))
    }
}
