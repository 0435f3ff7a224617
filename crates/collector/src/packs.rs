//! Records that are being packed: one for each partition, sent when it is full or has waited long enough.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crowdfold_beacon::{Body, Http, Packer};
use crowdfold_kafka::{Error, Writer, Written};
use tokio::sync::{Notify, SetOnce};

use crate::limits::{Budget, Share};

/// What is counted for a record besides its bytes: what librdkafka and we keep of one on its way.
const OVERHEAD: usize = 1_024;

/// What becomes of a record: told once, to all whose beacons are in it.
pub(crate) type DeliveryResult = Arc<SetOnce<bool>>;

/// Records that are being packed.
pub(crate) struct Packs {
    open: RwLock<Vec<Mutex<Open>>>,
    writer: Writer,
    budget: Arc<Budget>,
    /// From how many bytes on a record is sent.
    full: usize,
    /// There is a record that waits.
    waits: Notify,
    news: Arc<Mutex<News>>,
}

/// What the brokers let us know.
#[derive(Default)]
struct News {
    trouble: Option<Error>,
    stamped_by_broker: Option<bool>,
}

/// One that is being packed.
struct Open {
    packer: Packer,
    share: Share,
    /// The latest time of receipt in it.
    newest: u64,
    delivery: DeliveryResult,
}

impl Packs {
    pub(crate) fn new(writer: Writer, budget: Arc<Budget>, full: usize) -> Self {
        let (open, waits, news) = (RwLock::default(), Notify::new(), Arc::default());
        Self { open, writer, budget, full, waits, news }
    }

    /// How many partitions there are; 0 as long as that is not known.
    pub(crate) fn partitions(&self) -> u32 {
        self.all().len() as u32
    }

    /// There are so many partitions now; whether they can be written to by now. Fewer there cannot be.
    pub(crate) fn grow(&self, partitions: u32) -> bool {
        if partitions <= self.partitions() {
            return true;
        }
        // the writer has to hear of them first
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

    /// Packs a request, or a part of one; its delivery result is that of the record it is in. `None` where a reader
    /// would not take it, or there is no such partition.
    pub(crate) fn push(
        &self,
        partition: u32,
        http: &Http<'_>,
        body: &Body<'_>,
        length: usize,
    ) -> Option<DeliveryResult> {
        let all = self.all();
        let mut open = lock(all.get(partition as usize)?);
        if !open.packer.is_empty() && open.packer.len() + length > self.full {
            self.send(partition, &mut open);
        }
        let before = open.packer.len();
        if !open.packer.push(http, body) {
            return None;
        }
        let grown = open.packer.len() - before;
        open.newest = open.newest.max(http.received_at.unwrap_or(0));
        open.share.carry(if before == 1 { OVERHEAD + grown } else { grown });
        let delivery = Arc::clone(&open.delivery);
        if open.packer.len() >= self.full {
            self.send(partition, &mut open);
        } else if before == 1 {
            self.waits.notify_one();
        }
        Some(delivery)
    }

    /// Sends whatever waits, again and again, each after `linger` at most.
    pub(crate) async fn keep_sending(&self, linger: Duration) {
        loop {
            self.waits.notified().await;
            tokio::time::sleep(linger).await;
            self.send_all();
        }
    }

    /// Sends whatever waits.
    pub(crate) fn send_all(&self) {
        for (partition, open) in (0..).zip(self.all().iter()) {
            let mut open = lock(open);
            if !open.packer.is_empty() {
                self.send(partition, &mut open);
            }
        }
    }

    /// Waits until the delivery result of every record is known; returns whether it is.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        self.send_all();
        self.writer.flush(patience)
    }

    /// The number of records without a delivery result.
    pub(crate) fn in_flight(&self) -> usize {
        self.writer.in_flight()
    }

    /// The last trouble since this was asked.
    pub(crate) fn trouble(&self) -> Option<Error> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).trouble.take()
    }

    /// Why nothing will be written any more.
    pub(crate) fn fatal(&self) -> Option<Error> {
        self.writer.fatal()
    }

    /// Whether the broker stamps records; `None` as long as none was written.
    pub(crate) fn stamped_by_broker(&self) -> Option<bool> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).stamped_by_broker
    }

    /// Sends a record while its partition is locked, so that records go in their order.
    fn send(&self, partition: u32, open: &mut Open) {
        let payload = open.packer.take();
        let next = Open { packer: std::mem::take(&mut open.packer), ..self.fresh() };
        let Open { share, newest, delivery, .. } = std::mem::replace(open, next);
        let news = Arc::clone(&self.news);
        let receipt = move |result: Result<Written, Error>| {
            drop(share);
            // nobody else sets it
            let _ = delivery.set(result.is_ok());
            let mut news = news.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(written) => news.stamped_by_broker = Some(written.stamped_by_broker),
                Err(error) => news.trouble = Some(error),
            }
        };
        self.writer.write(partition, &payload, newest, Box::new(receipt));
    }

    fn fresh(&self) -> Open {
        Open { packer: Packer::default(), share: self.budget.nothing(), newest: 0, delivery: Arc::default() }
    }

    fn all(&self) -> RwLockReadGuard<'_, Vec<Mutex<Open>>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
