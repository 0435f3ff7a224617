//! The records under construction, one for each partition. A record is sent when it is full, or after a delay.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crowdfold_beacon::{Fields, Http, Packer, Parsed};
use crowdfold_kafka::{KafkaError, Writer, Written};
use crowdfold_model::Timestamp;
use tokio::sync::{Notify, SetOnce};

use crate::limits::{Budget, Share};

/// The memory in bytes that is reserved for a record in addition to its content, for librdkafka and for this module.
const OVERHEAD: usize = 1_024;

/// The delivery result of a record: true if it was written. All requests with beacons in the record share it.
pub(crate) type DeliveryResult = Arc<SetOnce<bool>>;

/// The records under construction.
pub(crate) struct Packs {
    /// The record of each partition, by partition number.
    open: RwLock<Vec<Mutex<Open>>>,
    writer: Writer,
    budget: Arc<Budget>,
    /// The fields of the beacons.
    fields: Arc<Fields>,
    /// The size at which a record is sent, in bytes.
    full: usize,
    /// Notified when the first beacon was added to an empty record.
    waits: Notify,
    reports: Arc<Mutex<Reports>>,
}

/// The latest reports of the brokers about written records.
#[derive(Default)]
struct Reports {
    last_error: Option<KafkaError>,
    stamped_by_broker: Option<bool>,
}

/// A record under construction.
struct Open {
    packer: Packer,
    share: Share,
    /// The latest time of receipt of a request in the record.
    newest: Timestamp,
    delivery: DeliveryResult,
}

impl Packs {
    pub(crate) fn new(writer: Writer, budget: Arc<Budget>, fields: Arc<Fields>, full: usize) -> Self {
        let (open, waits, reports) = (RwLock::default(), Notify::new(), Arc::default());
        Self { open, writer, budget, fields, full, waits, reports }
    }

    /// Returns the number of partitions, which is 0 until it is known.
    pub(crate) fn partitions(&self) -> u32 {
        self.all().len() as u32
    }

    /// Sets the number of partitions, which never decreases. Returns true if the producer can write to all partitions.
    pub(crate) fn grow(&self, partitions: u32) -> bool {
        if partitions <= self.partitions() {
            return true;
        }
        // the producer must know the new partitions before records are sent to them
        let known = self.writer.partitions().unwrap_or(0);
        if known < partitions {
            return false;
        }
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        while open.len() < partitions as usize {
            open.push(Mutex::new(self.fresh()));
        }
        true
    }

    /// Packs the beacons with these indexes of a request. `size` is their maximum packed size in bytes. Returns the delivery result of the record that contains them.
    /// Returns `None` if the request cannot be packed, or if the partition does not exist.
    pub(crate) fn push(
        &self,
        partition: u32,
        http: &Http<'_>,
        parsed: &Parsed,
        which: impl ExactSizeIterator<Item = usize>,
        size: usize,
    ) -> Option<DeliveryResult> {
        let all = self.all();
        let mut open = lock(all.get(partition as usize)?);
        if !open.packer.is_empty() && open.packer.len() + size > self.full {
            self.send(partition, &mut open);
        }
        let (before, is_first) = (open.packer.len(), open.packer.is_empty());
        if !open.packer.push(http, parsed, which) {
            return None;
        }
        let grown = open.packer.len() - before;
        open.newest = open.newest.max(http.received_at.unwrap_or_default());
        open.share.carry(if is_first { OVERHEAD + grown } else { grown });
        let delivery = Arc::clone(&open.delivery);
        if open.packer.len() >= self.full {
            self.send(partition, &mut open);
        } else if is_first {
            self.waits.notify_one();
        }
        Some(delivery)
    }

    /// Waits for a first beacon, and sends all records after the time `linger`. Repeats this without end.
    pub(crate) async fn keep_sending(&self, linger: Duration) {
        loop {
            self.waits.notified().await;
            tokio::time::sleep(linger).await;
            self.send_all();
        }
    }

    /// Sends all records that are not empty.
    pub(crate) fn send_all(&self) {
        for (partition, open) in (0..).zip(self.all().iter()) {
            let mut open = lock(open);
            if !open.packer.is_empty() {
                self.send(partition, &mut open);
            }
        }
    }

    /// Sends all records, and waits until the delivery result of every record is known. Returns false if the time-out
    /// was reached first.
    pub(crate) fn flush(&self, time_limit: Duration) -> bool {
        self.send_all();
        self.writer.flush(time_limit)
    }

    /// Returns the number of records whose delivery result is not known yet.
    pub(crate) fn in_flight(&self) -> usize {
        self.writer.in_flight()
    }

    /// Returns the last error since the previous call, or `None` if there was none.
    pub(crate) fn last_error(&self) -> Option<KafkaError> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).last_error.take()
    }

    /// Returns the fatal error of the producer, or `None` if it has none. After a fatal error, the producer can write
    /// no record.
    pub(crate) fn fatal(&self) -> Option<KafkaError> {
        self.writer.fatal()
    }

    /// Returns true if the broker sets the timestamps of records, or `None` if no record was written yet.
    pub(crate) fn stamped_by_broker(&self) -> Option<bool> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).stamped_by_broker
    }

    /// Sends a record and begins a new one. The caller holds the lock of the partition, so that records keep their
    /// order.
    fn send(&self, partition: u32, open: &mut Open) {
        let payload = open.packer.take();
        let next = Open { packer: std::mem::take(&mut open.packer), ..self.fresh() };
        let Open { share, newest, delivery, .. } = std::mem::replace(open, next);
        let reports = Arc::clone(&self.reports);
        let receipt = move |result: Result<Written, KafkaError>| {
            drop(share);
            // no other code sets the result, so this cannot fail
            let _ = delivery.set(result.is_ok());
            let mut reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(written) => reports.stamped_by_broker = Some(written.stamped_by_broker),
                Err(error) => reports.last_error = Some(error),
            }
        };
        self.writer.write(partition, &payload, newest, Box::new(receipt));
    }

    fn fresh(&self) -> Open {
        Open {
            packer: Packer::new(&self.fields),
            share: self.budget.nothing(),
            newest: Timestamp::EPOCH,
            delivery: Arc::default(),
        }
    }

    fn all(&self) -> RwLockReadGuard<'_, Vec<Mutex<Open>>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
