//! Deletion of counted beacons (`ttl.erase_counted`), in a separate thread with its own client, so that no stage waits
//! for it and it can use another principal.
//!
//! Beacons are deleted only up to the committed offset of an assigned partition, where a restart continues. Errors do
//! not end the worker, because beacons still expire within their time-to-live; they are reported on `/readyz`, and once
//! in the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crowdfold_kafka::topics::Admin;
use crowdfold_kafka::{ClientSettings, KafkaError};

use crate::telemetry::{Component, Status};
use crate::{Backoff, clock};

#[cfg(test)]
mod tests;

/// The interval of repeated deletion, because a broker that was killed immediately afterwards may have forgotten it.
/// Also the delay before retrying after a refusal.
const AGAIN: Duration = Duration::from_secs(60);

/// The time for which the end of a worker waits for the last deletion.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The deletion thread. It ends when this is dropped, after a last pass over the offsets committed since the previous
/// one.
pub(crate) struct Eraser(Arc<Orders>);

impl Eraser {
    /// Starts the thread with nothing to delete.
    ///
    /// # Errors
    /// The client cannot be created.
    pub(crate) fn start(
        client: &ClientSettings,
        topic: &str,
        status: Arc<Status>,
    ) -> Result<Self, KafkaError> {
        let admin = Admin::open(client)?;
        let topic = topic.to_owned();
        let erase = move |offsets: &BTreeMap<u32, i64>| admin.erase_before(&topic, offsets);
        Ok(Self(start(erase, AGAIN, status)))
    }

    /// Records that the group committed an offset for an assigned partition.
    pub(crate) fn counted(&self, partition: u32, offset: i64) {
        self.0.counted(partition, offset);
    }

    /// Records that other workers may have our partitions now.
    pub(crate) fn revoked(&self) {
        self.0.lock().offsets.clear();
    }
}

impl Drop for Eraser {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closing = true;
        self.0.changed.notify_all();
        // an unresponsive cluster must not delay the end
        let ended = |state: &mut State| !state.ended;
        let _ =
            self.0.changed.wait_timeout_while(state, TIMEOUT, ended).unwrap_or_else(PoisonError::into_inner);
    }
}

/// The state shared by the stage and the thread.
#[derive(Default)]
struct Orders {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Committed offsets by partition.
    offsets: BTreeMap<u32, i64>,
    /// True if an offset was committed since the last pass.
    news: bool,
    closing: bool,
    ended: bool,
}

impl Orders {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counted(&self, partition: u32, offset: i64) {
        let mut state = self.lock();
        let before = state.offsets.insert(partition, offset);
        if before.is_none_or(|before| before < offset) {
            state.news = true;
            self.changed.notify_all();
        }
    }

    /// Returns the offsets of the next pass, when it is due: after `wait`, at the end of the worker, or with `listen`
    /// after a commit. Also returns whether it is the last pass; `None` if there is nothing to delete.
    fn next(&self, wait: Duration, listen: bool) -> (Option<BTreeMap<u32, i64>>, bool) {
        let goes_on = |state: &mut State| !(state.closing || listen && state.news);
        let waited = self.changed.wait_timeout_while(self.lock(), wait, goes_on);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let last = state.closing;
        let due = !state.offsets.is_empty() && (!last || state.news && listen);
        state.news = false;
        (due.then(|| state.offsets.clone()), last)
    }
}

/// A function that makes one pass over the offsets.
trait Erase: Fn(&BTreeMap<u32, i64>) -> Result<(), KafkaError> + Send + 'static {}
impl<F: Fn(&BTreeMap<u32, i64>) -> Result<(), KafkaError> + Send + 'static> Erase for F {}

/// Starts the thread.
fn start(erase: impl Erase, again: Duration, status: Arc<Status>) -> Arc<Orders> {
    let orders = Arc::new(Orders::default());
    let ours = Arc::clone(&orders);
    thread::spawn(move || {
        run(&ours, &erase, again, &status);
        ours.lock().ended = true;
        ours.changed.notify_all();
    });
    orders
}

fn run(orders: &Orders, erase: &impl Erase, again: Duration, status: &Status) {
    let mut last_error: Option<String> = None;
    let (mut backoff, mut wait) = (Backoff::default(), again);
    loop {
        let reasons =
            last_error.iter().map(|why| format!("counted beacons cannot be deleted: {why}")).collect();
        status.report(Component::Erase, clock::now(), reasons);
        // while deletion fails, commits do not make it retry more often
        let (offsets, last) = orders.next(wait, last_error.is_none());
        let outcome = offsets.map_or(Ok(()), |offsets| erase(&offsets));
        match outcome {
            Ok(()) if last => return,
            Ok(()) => {
                if last_error.take().is_some() {
                    tracing::info!("deletion of counted beacons works again");
                }
                backoff.reset();
                wait = again;
            }
            Err(error) => {
                let passes = matches!(error, KafkaError::Kafka { .. } | KafkaError::Unreachable { .. });
                wait = if passes { backoff.delay() } else { again };
                let why = error.to_string();
                if last_error.as_ref() != Some(&why) {
                    tracing::warn!("counted beacons cannot be deleted: {why}");
                }
                last_error = Some(why);
                if last {
                    return;
                }
            }
        }
    }
}
