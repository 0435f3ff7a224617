//! The two operators of the protocol, without input or output: [`Combiner`] and [`Merger`].
//!
//! Records and time go in, steps to take come out: prepared batches to send and offsets to commit. Whoever drives them
//! tells them what was committed. No tokio, no Kafka, no clock.
#![forbid(unsafe_code)]

mod alarms;
mod checkpoint;
mod combiner;
mod halt;
mod ledger;
mod low_offsets;
mod merger;
mod operators;
mod pack;
mod publication;
mod source;
mod start;

pub use alarms::Alarms;
pub use checkpoint::{Checkpoint, CombinerCheckpoint, Forced, MergerCheckpoint};
pub use combiner::{Combiner, CombinerSettings, PreparedBatch};
pub use halt::Halt;
pub use ledger::{Ledger, MergeCounts, Released};
pub use merger::{Merger, MergerSettings};
pub use operators::{Operator, OperatorSet};
pub use pack::PartialRecord;
pub use publication::Publication;
pub use start::{Committed, Start, StartError, is_whole, plan_starts};
