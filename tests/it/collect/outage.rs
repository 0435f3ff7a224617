//! Tests the collector during an outage of Kafka. Players must receive a 503 response with `retry-after`. No
//! acknowledged beacon may be lost, and the buffered bytes must stay below a limit.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crowdfold_testkit::{Kafka, Options, eventually};

use super::client::{Client, JSON};
use super::support::{Collector, deploy, packed};
use crate::worker::support::{now, sleep};

/// Players that send beacons until they are stopped.
#[derive(Default)]
struct Players {
    stop: AtomicBool,
    acknowledged: Mutex<BTreeSet<String>>,
    busy: AtomicUsize,
}

impl Players {
    /// Runs one player. Each of its beacons has a new session id.
    fn play(&self, address: &str, number: usize) {
        let mut client = Client::connect(address);
        for turn in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let session = format!("player-{number}-{turn}.");
            // A long body fills the buffer of the collector faster.
            let filler = "x".repeat(20_000);
            let body = format!(r#"{{"session":"{session}","ts":{},"content":"{filler}"}}"#, now());
            let answer = client.ask("POST", "/v1/beacons", JSON, body.as_bytes());
            match (answer.status, answer.header("retry-after")) {
                (204, _) => drop(self.acknowledged.lock().unwrap().insert(session)),
                (503, Some(_)) => {
                    self.busy.fetch_add(1, Ordering::Relaxed);
                    // Without the delay, each player would send thousands of requests per second.
                    sleep(20);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until at least 20 further beacons are acknowledged.
    fn await_more(&self) {
        let before = self.acknowledged();
        eventually("more beacons are acknowledged", || (self.acknowledged() > before + 20).then_some(()));
    }

    fn await_busy(&self) {
        let before = self.busy.load(Ordering::Relaxed);
        eventually("players are asked to retry", || {
            (self.busy.load(Ordering::Relaxed) > before + 200).then_some(())
        });
    }
}

/// Stops the players when this value is dropped. Without it, a failed test would wait for the players without end.
struct StopPlayers<'a>(&'a Players);

impl Drop for StopPlayers<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

#[test]
fn acknowledged_beacons_are_in_the_topic_after_an_outage() {
    let kafka = Kafka::start(Options::default());
    let mut deployment = deploy(&kafka);
    deployment.set("collect.acknowledge_timeout", "\"2s\"");
    deployment.set("collect.max_memory_bytes", "1048576");
    deployment.set("collect.max_requests_per_connection_second", "0");
    let deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    let address = collector.0.intake_address();
    let players = Players::default();
    std::thread::scope(|scope| {
        let _whistle = StopPlayers(&players);
        for number in 0..60 {
            let (players, address) = (&players, &address);
            scope.spawn(move || players.play(address, number));
        }
        players.await_more();
        // The broker is first suspended, and killed later.
        kafka.pause(1);
        players.await_busy();
        // The gauge is updated every second. It decreases when requests that waited too long are answered with 503.
        eventually("the buffered bytes are near the limit and not above it", || {
            let held = collector.0.metric("crowdfold_collect_bytes_held").unwrap();
            assert!(held < 2_000_000, "{held}");
            (held > 500_000).then_some(())
        });
        eventually("the collector is not ready", || (collector.0.get("/readyz").0 == 503).then_some(()));
        assert_eq!(collector.0.get("/healthz").0, 200);
        kafka.resume(1);
        players.await_more();
        kafka.kill(1);
        players.await_busy();
        assert!(collector.memory() < 300 << 20, "{}", collector.memory());
        kafka.restart(1);
        players.await_more();
        collector.0.await_ready();
    });
    let (status, log) = collector.0.terminate();
    assert!(status.success() && !log.contains("player-"), "{status}: {log}");
    let written: BTreeSet<_> = packed(&deployment).into_iter().map(|beacon| beacon.session).collect();
    let acknowledged = players.acknowledged.into_inner().unwrap();
    let lost: Vec<_> = acknowledged.difference(&written).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged beacons are lost", lost.len(), acknowledged.len());
    queued(&kafka);
}

/// Tests the setting `collect.acknowledge = "queued"`. The collector acknowledges beacons before they are written, and
/// reports lost beacons when it exits.
fn queued(kafka: &Kafka) {
    let mut deployment = deploy(kafka);
    deployment.set("collect.acknowledge", "\"queued\"");
    let deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    let mut client = collector.connect();
    let mut post = |session: &str| {
        client.post("/v1/beacons", JSON, format!(r#"{{"session":"{session}","ts":{}}}"#, now()))
    };
    assert_eq!(post("written"), 204);
    collector.await_count("bytes_held", 0);
    kafka.pause(1);
    assert_eq!(post("lost"), 204);
    let (status, log) = collector.0.terminate();
    kafka.resume(1);
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("some acknowledged beacons were not written to Kafka in time"), "{log}");
}
