//! Tests of invariants 2 and 3. If the inputs of two runs differ only in addresses or session ids, their outputs are
//! equal byte for byte.

mod change;
#[path = "../../../crates/airlock/src/address/tests/mmdb.rs"]
mod mmdb;
mod out;

use crowdfold_testkit::Kafka;

use crate::worker::support::{Deployment, window_ago};
use change::{Log, other_address, other_host, renamed, with, without};
use mmdb::Data;
use out::{Out, fold, run};

/// Creates a deployment with one partition of partials, because then the order of rows is always the same.
fn deploy() -> Deployment<'static> {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.partial_partitions = 1;
    deployment
}

/// Runs `fold` and the worker on each log. The workers run at the same time, each in its own deployment. Asserts that
/// all outputs are equal, and returns the output of the first worker.
fn assert_same(deployments: &[Deployment<'static>], logs: &[Log]) -> Out {
    for other in &logs[1..] {
        let pairs = logs[0].iter().flatten().zip(other.iter().flatten());
        let same = pairs.filter(|(one, other)| one.payload == other.payload).count();
        let all = logs[0].iter().map(Vec::len).sum::<usize>();
        assert!(same < all / 50, "{same} of {all} beacons were not changed");
    }
    let folded = fold(&deployments[0], &logs[0]);
    assert!(folded.0.len() > 100_000, "{} bytes", folded.0.len());
    for other in &logs[1..] {
        assert!(fold(&deployments[0], other) == folded, "the output of fold differs");
    }
    let mut outs: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = deployments
            .iter()
            .zip(logs)
            .map(|(deployment, log)| scope.spawn(|| run(deployment, log)))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let first = outs.remove(0);
    for other in &outs {
        first.assert_same(other);
    }
    first
}

/// With `address.policy = "strip"`, without geographic databases and without `release.min_networks`, addresses are not
/// used at all. Session ids are never published.
#[test]
fn invariant_2_addresses_and_invariant_3_session_ids_do_not_change_a_byte() {
    let deployments = [(); 3].map(|()| deploy().with_topics());
    let log = deployments[0].players(21, 200, window_ago(2_000, 60_000), 30_000);
    let logs = [log.clone(), with(&log, "ip", other_address), renamed(&deployments[0], &log)];
    assert_same(&deployments, &logs);
}

/// In this test, networks are kept, looked up and counted. The bits of an address that identify the host must still
/// have no effect.
#[test]
fn invariant_2_host_bits_do_not_change_a_byte_if_networks_are_kept_and_looked_up() {
    let deployments = [(); 2].map(|()| {
        let mut deployment = deploy();
        let file = |deployment: &Deployment<'_>, name: &str, bytes: &[u8]| {
            let path = deployment.dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            format!("{:?}", path.display().to_string())
        };
        let country = |code| Data::Map(vec![("country", Data::Map(vec![("iso_code", Data::Text(code))]))]);
        let asn = |number| Data::Map(vec![("autonomous_system_number", Data::Number(number))]);
        let networks = [("192.0.2.0", 24), ("198.51.100.0", 24), ("203.0.113.0", 24), ("2001:db8::", 32)];
        let of = |value: &dyn Fn(usize) -> Data| {
            let known = networks.iter().enumerate().map(|(at, (first, length))| (*first, *length, value(at)));
            mmdb::file(&known.collect::<Vec<_>>())
        };
        let countries = of(&|at| country(["DE", "FR", "SE", "US"][at]));
        let operators = of(&|at| asn(64_496 + at as u32));
        let keys = [
            ("address.policy", "\"truncate\"".into()),
            ("address.country_mmdb", file(&deployment, "country.mmdb", &countries)),
            ("address.asn_mmdb", file(&deployment, "asn.mmdb", &operators)),
            // With a minimum of one network, rows are published, and the partials contain the bits of networks.
            ("release.min_networks", "1".into()),
            ("release.privacy.secret_file", file(&deployment, "secret", "0f".repeat(32).as_bytes())),
        ];
        keys.iter().for_each(|(key, value)| deployment.set(key, value));
        deployment.rules.breakdowns = [&["country", "asn", "network"][..], &["device", "os", "browser"]]
            .map(|names| names.iter().map(ToString::to_string).collect())
            .to_vec();
        deployment.with_topics()
    });
    let log = deployments[0].players(23, 300, window_ago(2_000, 60_000), 30_000);
    // The fields `country` and `asn` are removed from the beacons, because they take precedence over the lookup.
    let log = without(&without(&log, "country"), "asn");
    let logs = [log.clone(), with(&log, "ip", other_host)];
    let out = assert_same(&deployments, &logs);
    for value in [
        "\"country\":\"SE\"",
        "\"asn\":\"AS64499\"",
        "\"network\":\"198.51.100.0/24\"",
        "\"network\":\"2001:db8::/32\"",
    ] {
        assert!(out.rollups_hold(value), "no row contains {value}, so networks were not kept");
    }
}
