//! Reading the partitions of a stage, in several threads.

use crowdfold_engine::{EngineError, Operator as _, OperatorSet};
use crowdfold_kafka::{PartitionReader, ReadBuffer, Source, SourceError, fault};

use crate::clock;
use crate::stage::Stage;
use crate::threads::Threads;

/// The maximum number of records of one partition that are read at a time. The limit keeps the wait of other partitions
/// short.
const MAX_BATCH: usize = 1_000;

/// A partition that is read in this turn, with its operator.
struct Task<'a, S: Stage> {
    reader: PartitionReader<'a>,
    operator: &'a mut S::Operator,
    drained: bool,
    error: Option<ReadError>,
}

/// An error of one partition.
pub(crate) enum ReadError {
    /// The operator cannot continue.
    Engine(EngineError),
    /// The records cannot be read.
    Source(SourceError),
}

/// The result of reading all partitions.
pub(crate) struct Progress {
    /// True if no more records are available, or if they cannot be accepted before the next commit.
    pub(crate) drained: bool,
    /// The errors, in the order of the partitions.
    pub(crate) errors: Vec<ReadError>,
}

/// Passes records of each partition to its operator. Reads at least one batch of each partition. A partition is not
/// read further in this turn after an error, or if its operator has something to commit.
pub(crate) fn read_all<S: Stage>(
    threads: &mut Threads<ReadBuffer>,
    source: &mut Source,
    operators: &mut OperatorSet<S::Operator>,
) -> Progress {
    let mut operators = operators.iter_mut().peekable();
    let tasks = source.readers().filter_map(|reader| {
        while operators.next_if(|(partition, _)| *partition < reader.partition()).is_some() {}
        let (_, operator) = operators.next_if(|(partition, _)| *partition == reader.partition())?;
        Some(Task::<S> { reader, operator, drained: true, error: None })
    });
    let mut tasks: Vec<_> = tasks.collect();
    threads.run(&mut tasks, Task::read);
    let drained = tasks.iter().all(|task| task.drained);
    Progress { drained, errors: tasks.into_iter().filter_map(|task| task.error).collect() }
}

impl<S: Stage> Task<'_, S> {
    /// Passes a batch to the operator. Returns true if more can be read in this turn.
    fn read(&mut self, buffer: &mut ReadBuffer) -> bool {
        let operator = &mut *self.operator;
        self.drained = true;
        if S::is_full(operator) {
            return false;
        }
        let now = clock::now();
        let mut fed = Ok(());
        let read = self.reader.read(buffer, MAX_BATCH, |message| {
            fault::point("4.record");
            if fed.is_ok() {
                fed = S::feed(operator, &message, now);
            }
        });
        if let Err(error) = fed {
            self.error = Some(ReadError::Engine(error));
            return false;
        }
        S::fed(operator);
        match read {
            Ok(read) => {
                if read.end.is_some() {
                    S::at_end(operator);
                }
                self.drained = read.drained;
                // a merger computes its publication here, so that this is shared among the threads too
                !operator.has_pending(now) && !read.drained
            }
            Err(error) => {
                self.error = Some(ReadError::Source(error));
                false
            }
        }
    }
}
