//! What two keys must agree on.

use crowdfold_airlock::AddressPolicy;
use crowdfold_model::Dimension;
use crowdfold_release::Policy;

use super::bounds::Bounds;
use super::duration::show_duration;
use super::kafka::is_name;
use super::problem::Problem;
use super::release::own_key;
use super::{Config, Layers, principals};

pub(super) fn check(config: &Config) -> Result<(), Problem> {
    network(config)?;
    topics(config)?;
    principals::check(config)?;
    erasing(config)?;
    let Config { ttl, windows, merge, .. } = config;
    let replay = Need {
        ttl: ("ttl.beacons", ttl.beacons),
        ahead: config.source.ahead(),
        parts: &[
            ("windows.length", windows.length),
            ("windows.lateness", windows.lateness),
            ("sessions.idle", config.sessions.idle),
            ("ttl.outage", ttl.outage),
        ],
    };
    let patience = Need {
        ttl: ("ttl.partials", ttl.partials),
        ahead: 0,
        parts: &[
            ("windows.length", windows.length),
            ("merge.patience", merge.patience),
            ("ttl.outage", ttl.outage),
        ],
    };
    replay.check(&config.layers)?;
    patience.check(&config.layers)
}

/// What a topic must keep, so that nothing is lost.
struct Need<'a> {
    ttl: (&'a str, u64),
    ahead: u64,
    parts: &'a [(&'a str, u64)],
}

impl Need<'_> {
    /// Refuses a TTL that no broker could make room in; what is kept on a given one, `topics check` tells.
    fn check(&self, layers: &Layers) -> Result<(), Problem> {
        let (key, ttl) = self.ttl;
        let need: u64 = self.parts.iter().map(|(_, part)| part).sum();
        if need <= Bounds::at_best(ttl, self.ahead).retention {
            return Ok(());
        }
        let parts: Vec<_> =
            self.parts.iter().map(|(key, part)| format!("{key} {}", show_duration(*part))).collect();
        let what = format!(
            "{} leaves a retention of {} at most, but {} must fit into it: raise {key} to {} or lower one of them",
            show_duration(ttl),
            show_duration(Bounds::at_best(ttl, self.ahead).retention),
            parts.join(" + "),
            show_duration(Bounds::least_ttl(need, self.ahead)),
        );
        let given = |key: &&str| !layers.untouched(key);
        let origin_key = std::iter::once(key).chain(self.parts.iter().rev().map(|(key, _)| *key)).find(given);
        Err(layers.refuse_as(origin_key.unwrap_or(key), &format!("{key}: {what}")))
    }
}

fn network(config: &Config) -> Result<(), Problem> {
    let named = |policy: &Policy| policy.breakdowns().iter().flatten().any(|d| *d == Dimension::Network);
    let policies = config.policies();
    let own =
        policies.own().find(|(_, policy)| named(policy)).map(|(tenant, _)| own_key(tenant, "breakdowns"));
    let common = named(policies.common()).then(|| "release.breakdowns".to_owned());
    match common.or(own) {
        Some(key) if config.address.policy == AddressPolicy::Strip => {
            let what =
                "names network, of which address.policy = \"strip\" keeps nothing: take it out, or truncate";
            Err(config.layers.refuse(&key, what))
        }
        _ => Ok(()),
    }
}

/// What is erased is gone for every reader.
fn erasing(config: &Config) -> Result<(), Problem> {
    let own = format!("{}.beacons", config.kafka.prefix);
    let beacons = config.topic_names().beacons;
    if !config.ttl.erase_counted || config.ttl.erase_shared || beacons == own {
        return Ok(());
    }
    let what = format!(
        "source.topic {beacons} is not this deployment's own ({own}), and whoever else reads it would lose what is \
         erased: leave erase_counted false, or set ttl.erase_shared = true if nobody else needs it"
    );
    Err(config.layers.refuse("ttl.erase_counted", what))
}

fn topics(config: &Config) -> Result<(), Problem> {
    let names = config.topic_names();
    if !is_name(&names.beacons) {
        let what = format!("found \"{}\", which Kafka does not take as a name", names.beacons.escape_debug());
        return Err(config.layers.refuse("source.topic", what));
    }
    let written = [&names.partials, &names.rejections].into_iter().chain(names.rollups());
    match written.into_iter().find(|name| **name == names.beacons) {
        Some(name) => {
            let what = format!(
                "{name} is what crowdfold writes itself: name another topic, or another kafka.prefix"
            );
            Err(config.layers.refuse("source.topic", what))
        }
        None => Ok(()),
    }
}
