//! Translates the configuration into the parameters of the collector.

use crowdfold_collector::{CollectorError, CollectorField, Files, Settings};
use crowdfold_config::Acknowledge;
use crowdfold_worker::Config;
use crowdfold_worker::config::partitioner;

#[cfg(test)]
mod tests;

/// Returns the parameters of the collector. They come from several sections, such as `[collect]` and `[source]`.
pub(super) fn settings(config: &Config) -> Settings {
    let collect = &config.collect;
    Settings {
        listen: collect.listen,
        origins: collect.origins.clone(),
        trusted_proxies: collect.trusted_proxies.clone(),
        proxy_protocol: collect.proxy_protocol,
        acknowledge: match collect.acknowledge {
            Acknowledge::Written => crowdfold_collector::Acknowledge::Written,
            Acknowledge::Queued => crowdfold_collector::Acknowledge::Queued,
        },
        linger: collect.linger,
        record: collect.batch_bytes,
        time_limit: collect.acknowledge_timeout,
        memory: collect.max_memory_bytes,
        connections: collect.max_connections,
        body: collect.max_body_bytes,
        rate: collect.max_requests_per_connection_second,
        slow: collect.read_timeout,
        idle: collect.keep_alive,
        tenants: config.tenants.names.clone(),
        gpc: config.consent.gpc,
        dnt: config.consent.dnt,
        fields: config.source.fields.clone(),
        custom_sources: config.custom_sources().to_vec(),
        partitioner: partitioner(config.source.partitioner),
        max_beacons: config.source.max_beacons,
    }
}

/// Describes an error of the collector. The description names the configuration key.
pub(super) fn message(error: &CollectorError) -> String {
    let key = match error.field() {
        CollectorField::Listen => "collect.listen",
        CollectorField::Certificate => "collect.tls.certificate",
        CollectorField::Key => "collect.tls.key",
    };
    format!("{key} {}", error.problem())
}

/// Returns the files with the collector's certificate and key, if it uses TLS.
pub(super) fn files(config: &Config) -> Option<Files> {
    let tls = &config.collect.tls;
    Some(Files { certificate: tls.certificate.clone()?, key: tls.key.clone()? })
}
