//! The threads that share the work of one turn of a stage.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crowdfold_kafka::fault;

use crate::clock;

/// The time after which a turn is shared with other threads. If there is little to do, the turn ends before this time,
/// and no thread is started.
const ALONE: Duration = Duration::from_millis(1);

/// The time after which threads no longer repeat tasks, so that the turn ends and results are committed.
const SLICE: Duration = Duration::from_millis(20);

/// The threads that share the work of one turn. Each thread has a buffer of type `B`.
pub(crate) struct Threads<B> {
    name: &'static str,
    /// The buffer of the calling thread.
    own: B,
    /// The buffers of the other threads.
    others: Vec<B>,
    alone: Duration,
    slice: Duration,
}

impl<B: Default + Send> Threads<B> {
    /// Creates the buffers of at most `count` threads. `None` is the number of cores that the process may use. `name`
    /// is the name of the threads.
    pub(crate) fn new(name: &'static str, count: Option<usize>) -> Self {
        let count = count.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
        let others = (1..count).map(|_| B::default()).collect();
        Self { name, own: B::default(), others, alone: ALONE, slice: SLICE }
    }

    /// Calls `step` at least once for each task. `step` returns true if its task has more to do. Each task is used by
    /// one thread at a time.
    ///
    /// The calling thread begins alone. If this takes a millisecond, and several tasks have more to do, other threads
    /// are started. Then steps are repeated until no task has more to do, or 20 ms have passed.
    ///
    /// # Panics
    /// Panics if a step panics, after all threads have ended.
    pub(crate) fn run<T: Send>(&mut self, tasks: &mut [T], step: impl Fn(&mut T, &mut B) -> bool + Sync) {
        let begun = clock::begin();
        let mut waiting: VecDeque<_> = tasks.iter_mut().collect();
        let mut again = VecDeque::new();
        while let Some(task) = waiting.pop_front() {
            if step(task, &mut self.own) {
                again.push_back(task);
            }
            let remaining = waiting.len() + again.len();
            if remaining > 1 && !self.others.is_empty() && begun.elapsed() >= self.alone {
                waiting.append(&mut again);
                let slice = self.slice;
                return self.share(waiting, |task, buffer| step(task, buffer) && begun.elapsed() < slice);
            }
        }
    }

    /// Calls `step` for each task, in several threads, until `step` returns false for the task.
    fn share<T: Send>(&mut self, tasks: VecDeque<&mut T>, step: impl Fn(&mut T, &mut B) -> bool + Sync) {
        let helpers = self.others.len().min(tasks.len() - 1);
        let queue = Mutex::new(tasks);
        let work = |buffer: &mut B| {
            // the lock must not be held during a step
            let next = || lock(&queue).pop_front();
            while let Some(task) = next() {
                if step(task, buffer) {
                    lock(&queue).push_back(task);
                }
            }
        };
        let mut started = 0;
        thread::scope(|scope| {
            for buffer in &mut self.others[..helpers] {
                let work = &work;
                let helper = thread::Builder::new().name(self.name.into());
                let begin = move || {
                    fault::point("4.shared");
                    work(buffer);
                };
                if let Err(error) = helper.spawn_scoped(scope, begin) {
                    tracing::warn!(
                        stage = self.name,
                        "a thread cannot be started: {error}; using fewer threads"
                    );
                    break;
                }
                started += 1;
            }
            work(&mut self.own);
        });
        if started < helpers {
            self.others.truncate(started);
        }
    }
}

fn lock<T>(queue: &Mutex<T>) -> MutexGuard<'_, T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
