//! Deletes beacons that were counted (`ttl.erase_counted`). The deletion has its own thread, so that no stage waits for
//! it. It has its own Kafka client, so that it can use another principal.
//!
//! Beacons are deleted only up to the committed offset of an assigned partition, because a restarted worker continues
//! reading there. An error of a deletion does not end the worker, because the beacons expire at the end of their
//! time-to-live anyway. The error is reported on `/readyz`, and once in the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crowdfold_kafka::topics::Admin;
use crowdfold_kafka::{ClientSettings, KafkaError};

use crate::config::kafka_message;
use crate::telemetry::{Component, Status};
use crate::{Backoff, clock};

#[cfg(test)]
mod tests;

/// The interval at which the deletion is repeated. Repeating is necessary because the deleted records may become
/// readable again if a broker is killed soon after the deletion. The same interval is the delay before a retry after a
/// permanent error.
const REPEAT_INTERVAL: Duration = Duration::from_secs(60);

/// The maximum time for which a worker waits for the last deletion before it ends.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The handle of the thread that deletes beacons. When it is dropped, the thread deletes the beacons that were
/// committed since its last pass, and ends.
pub(crate) struct Eraser(Arc<Shared>);

impl Eraser {
    /// Starts the thread. The thread deletes nothing until [`Eraser::counted`] is called.
    ///
    /// # Errors
    /// Returns an error if the client cannot be created.
    pub(crate) fn start(
        client: &ClientSettings,
        topic: &str,
        status: Arc<Status>,
    ) -> Result<Self, KafkaError> {
        let admin = Admin::open(client)?;
        let topic = topic.to_owned();
        let erase = move |offsets: &BTreeMap<u32, i64>| admin.erase_before(&topic, offsets);
        Ok(Self(start(erase, REPEAT_INTERVAL, status)))
    }

    /// Records that an offset of an assigned partition was committed. The thread then deletes the beacons before that
    /// offset.
    pub(crate) fn counted(&self, partition: u32, offset: i64) {
        self.0.counted(partition, offset);
    }

    /// Records that no partition is assigned anymore, so that nothing more is deleted.
    pub(crate) fn revoked(&self) {
        self.0.lock().offsets.clear();
    }
}

impl Drop for Eraser {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closing = true;
        self.0.changed.notify_all();
        // wait only briefly, because an unresponsive cluster must not delay the end of the worker
        let is_running = |state: &mut State| !state.ended;
        let _ = self
            .0
            .changed
            .wait_timeout_while(state, TIMEOUT, is_running)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

/// The state that the stage and the thread share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The offsets up to which beacons are deleted, and the state of the thread.
#[derive(Default)]
struct State {
    /// The committed offset of each assigned partition.
    offsets: BTreeMap<u32, i64>,
    /// True if an offset was committed since the last pass.
    has_new_offsets: bool,
    /// True if the worker is about to end. The thread then makes its last pass.
    closing: bool,
    /// True after the thread has ended.
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counted(&self, partition: u32, offset: i64) {
        let mut state = self.lock();
        let before = state.offsets.insert(partition, offset);
        if before.is_none_or(|before| before < offset) {
            state.has_new_offsets = true;
            self.changed.notify_all();
        }
    }

    /// Waits until the next pass is due. A pass is due after the time `wait`, or when the worker ends. If
    /// `wake_on_commit` is true, a pass is also due after a commit. Returns the offsets of the pass, or `None` if there
    /// is nothing to delete. The second value is true if this is the last pass.
    fn next(&self, wait: Duration, wake_on_commit: bool) -> (Option<BTreeMap<u32, i64>>, bool) {
        let must_wait = |state: &mut State| !(state.closing || wake_on_commit && state.has_new_offsets);
        let waited = self.changed.wait_timeout_while(self.lock(), wait, must_wait);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let last = state.closing;
        let due = !state.offsets.is_empty() && (!last || state.has_new_offsets && wake_on_commit);
        state.has_new_offsets = false;
        (due.then(|| state.offsets.clone()), last)
    }
}

/// A function that deletes the beacons of each partition before its offset.
trait Erase: Fn(&BTreeMap<u32, i64>) -> Result<(), KafkaError> + Send + 'static {}
impl<F: Fn(&BTreeMap<u32, i64>) -> Result<(), KafkaError> + Send + 'static> Erase for F {}

/// Starts the thread, which calls `erase` for each pass.
fn start(erase: impl Erase, again: Duration, status: Arc<Status>) -> Arc<Shared> {
    let shared = Arc::new(Shared::default());
    let ours = Arc::clone(&shared);
    thread::spawn(move || {
        run(&ours, &erase, again, &status);
        ours.lock().ended = true;
        ours.changed.notify_all();
    });
    shared
}

/// Makes passes until the worker ends. Reports errors on `/readyz` and in the log.
fn run(shared: &Shared, erase: &impl Erase, again: Duration, status: &Status) {
    let mut last_error: Option<String> = None;
    let (mut backoff, mut wait) = (Backoff::default(), again);
    loop {
        let reasons =
            last_error.iter().map(|why| format!("counted beacons cannot be deleted: {why}")).collect();
        status.report(Component::Erase, clock::now(), reasons);
        // while the deletion fails, the next pass begins after the time `wait`, not after a commit
        let (offsets, last) = shared.next(wait, last_error.is_none());
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
                let may_pass = matches!(error, KafkaError::Kafka { .. } | KafkaError::Unreachable { .. });
                wait = if may_pass { backoff.delay() } else { again };
                let why = kafka_message(&error);
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
