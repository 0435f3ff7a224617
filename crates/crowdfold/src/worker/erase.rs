//! Beacons that are counted are erased (`ttl.erase_counted`), by a thread and a client of their own: a stage does not
//! wait for it, and it may be another principal's.
//!
//! Never beyond what the group committed for a partition of ours: a restart reads on from there. Trouble does not end
//! the worker, for beacons still go within their bound; it is on `/readyz`, and once in the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crowdfold_kafka::topics::Admin;
use crowdfold_kafka::{ClientSettings, Error};

use super::Backoff;
use crate::clock;
use crate::telemetry::{Component, Status};

#[cfg(test)]
mod tests;

/// How often what is erased is erased again: a broker that was killed right after may have forgotten it. Also how soon
/// a refusal is asked for again.
const AGAIN: Duration = Duration::from_secs(60);

/// How long the end of a worker waits for the last erasure.
const PATIENCE: Duration = Duration::from_secs(2);

/// What erases. Ends when dropped, after a last pass over what was committed since the one before.
pub(super) struct Eraser(Arc<Orders>);

impl Eraser {
    /// Begins with nothing to erase.
    ///
    /// # Errors
    /// When the properties do not make a client.
    pub(super) fn start(client: &ClientSettings, topic: &str, status: Arc<Status>) -> Result<Self, Error> {
        let admin = Admin::open(client)?;
        let topic = topic.to_owned();
        let erase = move |offsets: &BTreeMap<u32, i64>| admin.erase_before(&topic, offsets);
        Ok(Self(start(erase, AGAIN, status)))
    }

    /// The group committed that offset for a partition of ours.
    pub(super) fn counted(&self, partition: u32, offset: i64) {
        self.0.counted(partition, offset);
    }

    /// Other workers may have our partitions now.
    pub(super) fn revoked(&self) {
        self.0.lock().offsets.clear();
    }
}

impl Drop for Eraser {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closing = true;
        self.0.changed.notify_all();
        // a cluster that does not answer must not hold up the end
        let ended = |state: &mut State| !state.ended;
        let _ =
            self.0.changed.wait_timeout_while(state, PATIENCE, ended).unwrap_or_else(PoisonError::into_inner);
    }
}

/// What the stage tells the thread.
#[derive(Default)]
struct Orders {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Committed, by partition.
    offsets: BTreeMap<u32, i64>,
    /// Something was committed since the last pass.
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

    /// The offsets of the next pass, once it is due: when the time is over or the worker ends, and with news if those
    /// may cut the wait short. Then also whether it is the last pass; nothing where there is none.
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

/// Makes one pass over these offsets.
trait Erase: Fn(&BTreeMap<u32, i64>) -> Result<(), Error> + Send + 'static {}
impl<F: Fn(&BTreeMap<u32, i64>) -> Result<(), Error> + Send + 'static> Erase for F {}

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
    let mut trouble: Option<String> = None;
    let (mut backoff, mut wait) = (Backoff::default(), again);
    loop {
        let reasons = trouble.iter().map(|why| format!("counted beacons cannot be deleted: {why}")).collect();
        status.report(Component::Erase, clock::now(), reasons);
        // while it does not work, commits do not make it try more often
        let (offsets, last) = orders.next(wait, trouble.is_none());
        let outcome = offsets.map_or(Ok(()), |offsets| erase(&offsets));
        match outcome {
            Ok(()) if last => return,
            Ok(()) => {
                if trouble.take().is_some() {
                    tracing::info!("deletion of counted beacons works again");
                }
                backoff.reset();
                wait = again;
            }
            Err(error) => {
                let passes = matches!(error, Error::Kafka { .. } | Error::Unreachable { .. });
                wait = if passes { backoff.next() } else { again };
                let why = error.to_string();
                if trouble.as_ref() != Some(&why) {
                    tracing::warn!("counted beacons cannot be deleted: {why}");
                }
                trouble = Some(why);
                if last {
                    return;
                }
            }
        }
    }
}
