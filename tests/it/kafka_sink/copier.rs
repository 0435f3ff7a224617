//! Tests that a loop of source and sink copies every record exactly once, although brokers are killed meanwhile.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

/// A simple worker that follows docs/internals/protocol.md, "Transactions". It reads one partition, copies each record,
/// and stores its position in the metadata of the offset.
struct Copier {
    client: ClientSettings,
    member: SourceSettings,
    source: Option<Source>,
    sink: Sink,
    rejoined: usize,
    /// The number of records that are copied and committed.
    copied: Arc<AtomicI64>,
}

impl Copier {
    fn new(kafka: &Kafka, from: &str, to: &str) -> Self {
        let (client, member) = (settings(kafka), source_settings(from));
        let id = SinkSettings::new(&unique("id"), partials_to(to));
        // Not all brokers know a new topic immediately, so the source is opened repeatedly.
        let source = eventually("the topic to read", || Source::open(&client, member.clone()).ok());
        let sink = eventually("the topic to write", || Sink::open(&client, id.clone()).ok());
        Self { client, member, source: Some(source), sink, rejoined: 0, copied: Arc::default() }
    }

    /// Copies records until `goal` records are copied and committed.
    fn run(&mut self, goal: i64) {
        let mut done = 0;
        eventually("everything copied", || {
            let source = self.source.as_mut().unwrap();
            match source.poll(Duration::ZERO) {
                Ok(Some(Event::Assigned(given))) => done = given.partitions[0].start_offset,
                Ok(Some(Event::Revoked(_) | Event::Lost(_) | Event::Skipped(_)) | None) => {}
                Err(error) if error.is_transient() => {}
                Err(_) => {
                    self.rejoin();
                    return None;
                }
            }
            let mut batch = Vec::new();
            let read = source.read(0, 200, |m| batch.push(m.payload().to_vec()));
            match read {
                Ok(read) if read.count == 0 => source.wait(SOON),
                _ => {}
            }
            let position = source.position(0).filter(|_| !batch.is_empty());
            if let Some(position) = position.filter(|position| self.copy(&batch, *position)) {
                done = position;
            }
            self.copied.store(done, Ordering::Relaxed);
            (done >= goal).then_some(())
        });
    }

    /// Copies a batch of records. Returns true if the batch was committed. If it returns false, the group was rejoined,
    /// and the next read starts at the committed position.
    fn copy(&mut self, batch: &[Vec<u8>], position: i64) -> bool {
        let send = |value| Outgoing::Partial { partition: 0, key: b"", value };
        let outgoing: Vec<_> = batch.iter().map(|value| send(value)).collect();
        let offsets = [Offset { partition: 0, offset: position, metadata: position.to_string() }];
        let source = self.source.as_ref().unwrap();
        let group = Arc::clone(source.group_metadata().unwrap());
        loop {
            match self.sink.transact(&outgoing, &offsets, &self.member.topic, &group) {
                Ok(()) => return true,
                Err(TransactError::Aborted(_)) => {}
                Err(TransactError::Unknown(_)) => {
                    eventually("a new producer", || self.sink.reopen().ok());
                    let held = eventually("the offsets", || source.committed().ok());
                    if held[0].as_ref().is_some_and(|held| held.metadata == position.to_string()) {
                        return true;
                    }
                }
                Err(TransactError::Fenced(_)) => {
                    self.rejoin();
                    return false;
                }
                Err(error @ TransactError::Fatal(_)) => panic!("{error}"),
            }
        }
    }

    fn rejoin(&mut self) {
        self.rejoined += 1;
        eventually("a new producer", || self.sink.reopen().ok());
        self.source = None;
        self.source =
            Some(eventually("a new source", || Source::open(&self.client, self.member.clone()).ok()));
    }
}

#[test]
fn every_record_is_copied_once_while_brokers_are_killed() {
    let kafka = Kafka::start(Options { brokers: 3, ..Options::default() });
    let (from, to) = (topic(&kafka, "from", 1), topic(&kafka, "to", 1));
    let mut copier = Copier::new(&kafka, &from, &to);
    let copied = Arc::clone(&copier.copied);
    let rounds = 4;
    let each = 5_000;
    let send = |numbers: std::ops::Range<u32>| {
        let records: Vec<_> = numbers.map(|number| Record::new(0, number.to_string())).collect();
        produce(&kafka, &from, &records);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..rounds {
                let (begin, end) = (round * each, (round + 1) * each);
                send(begin..begin + each / 2);
                // The killed brokers include the coordinators of the group and of the transactions.
                let killed = (round < 3).then_some(round + 1);
                killed.into_iter().for_each(|broker| kafka.kill(broker));
                send(begin + each / 2..end);
                if let Some(broker) = killed {
                    eventually("the records are copied without the killed broker", || {
                        (copied.load(Ordering::Relaxed) >= i64::from(end)).then_some(())
                    });
                    kafka.restart(broker);
                }
            }
        });
        copier.run(i64::from(rounds * each));
    });
    let mut copied: Vec<u32> =
        values(&kafka, &to, "read_committed").iter().map(|value| value.parse().unwrap()).collect();
    copied.sort_unstable();
    let expected: Vec<_> = (0..rounds * each).collect();
    let lost = expected.iter().filter(|value| copied.binary_search(value).is_err()).count();
    assert_eq!((copied.len(), lost), (expected.len(), 0), "rejoined {} times", copier.rejoined);
}
