use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread::{ThreadId, current};

use super::*;

/// A task with this many steps. It stores the threads that have performed its steps.
#[derive(Default)]
struct Task {
    remaining: usize,
    steps: usize,
    threads: BTreeSet<String>,
}

impl Task {
    fn of(remaining: usize) -> Self {
        Self { remaining, ..Self::default() }
    }

    fn step(&mut self) -> bool {
        self.threads.insert(shown(current().id()));
        self.steps += 1;
        self.remaining = self.remaining.saturating_sub(1);
        self.remaining > 0
    }
}

fn shown(id: ThreadId) -> String {
    format!("{id:?}")
}

/// Returns threads that share every turn immediately, and that repeat tasks until none has more to do.
fn eager(count: usize) -> Threads<usize> {
    Threads { alone: Duration::ZERO, slice: Duration::MAX, ..Threads::new("test", Some(count)) }
}

fn threads_of(tasks: &[Task]) -> BTreeSet<&String> {
    tasks.iter().flat_map(|task| &task.threads).collect()
}

#[test]
fn single_thread_performs_one_step_of_each_task() {
    let mut tasks: Vec<_> = [1, 3, 1_000].map(Task::of).into();
    eager(1).run(&mut tasks, |task, _| task.step());
    assert!(tasks.iter().all(|task| task.steps == 1));
    assert_eq!(threads_of(&tasks), [&shown(current().id())].into());
}

#[test]
fn single_task_is_not_shared() {
    let mut tasks = [Task::of(1_000)];
    eager(4).run(&mut tasks, |task, _| task.step());
    assert_eq!((tasks[0].steps, threads_of(&tasks)), (1, [&shown(current().id())].into()));
}

#[test]
fn no_task_needs_no_thread() {
    eager(4).run(&mut [], |task: &mut Task, _| task.step());
}

#[test]
fn short_turn_is_not_shared() {
    let mut threads = Threads { alone: Duration::from_secs(3_600), ..eager(4) };
    let mut tasks: Vec<_> = (0..8).map(|_| Task::of(1_000)).collect();
    threads.run(&mut tasks, |task, _| task.step());
    assert!(tasks.iter().all(|task| task.steps == 1));
    assert_eq!(threads_of(&tasks), [&shown(current().id())].into());
}

#[test]
fn every_task_is_completed_for_any_number_of_threads_and_tasks() {
    for count in [2, 3, 4, 9] {
        for tasks in 2..12 {
            let mut tasks: Vec<_> = (0..tasks).map(|nth| Task::of(2 + nth * 7 % 5)).collect();
            eager(count).run(&mut tasks, |task, _| task.step());
            for (nth, task) in tasks.iter().enumerate() {
                assert_eq!((task.steps, task.remaining), (2 + nth * 7 % 5, 0), "{count} threads, task {nth}");
            }
            assert!(threads_of(&tasks).len() <= count.min(tasks.len()));
        }
    }
}

#[test]
fn tasks_are_performed_at_the_same_time_by_as_many_threads_as_configured() {
    let mut tasks: Vec<_> = (0..8).map(|nth| (nth, Task::of(2))).collect();
    // the calling thread performs the first step of task 0 alone; the next four steps wait for each other
    let barrier = Barrier::new(4);
    eager(4).run(&mut tasks, |(nth, task), _| {
        if (1..=4).contains(nth) && task.steps == 0 {
            barrier.wait();
        }
        task.step()
    });
    let tasks: Vec<_> = tasks.into_iter().map(|(_, task)| task).collect();
    assert_eq!(threads_of(&tasks).len(), 4);
    assert!(tasks.iter().all(|task| task.steps == 2));
}

#[test]
fn each_thread_has_a_buffer_of_its_own() {
    let mut threads = eager(3);
    let mut tasks: Vec<_> = (0..6).map(|_| Task::of(50)).collect();
    threads.run(&mut tasks, |task, buffer| {
        *buffer += 1;
        task.step()
    });
    assert_eq!(threads.own + threads.others.iter().sum::<usize>(), 300);
}

#[test]
fn tasks_are_not_repeated_after_the_slice_but_each_task_performs_a_step() {
    let mut threads = Threads { slice: Duration::ZERO, ..eager(2) };
    let mut tasks: Vec<_> = (0..6).map(|_| Task::of(usize::MAX)).collect();
    threads.run(&mut tasks, |task, _| task.step());
    assert_eq!(tasks.iter().map(|task| task.steps).collect::<Vec<_>>(), [2, 1, 1, 1, 1, 1]);
}

#[test]
fn panic_of_another_thread_is_passed_to_the_caller() {
    let caller = current().id();
    let barrier = Barrier::new(2);
    let mut tasks: Vec<_> = (0..3).map(|nth| (nth, Task::of(2))).collect();
    let run = || {
        eager(2).run(&mut tasks, |(nth, task), _| {
            if *nth > 0 && task.steps == 0 {
                barrier.wait();
            }
            assert_eq!(current().id(), caller, "a seeded panic");
            task.step()
        });
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    // the calling thread has completed its own tasks
    assert_eq!(tasks.iter().map(|(_, task)| task.steps).sum::<usize>(), 4);
}

#[test]
fn number_of_threads_is_the_number_of_cores_by_default() {
    let cores = thread::available_parallelism().unwrap().get();
    assert_eq!(Threads::<usize>::new("test", None).others.len(), cores - 1);
    assert_eq!(Threads::<usize>::new("test", Some(7)).others.len(), 6);
}
