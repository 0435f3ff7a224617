//! The two operators of the worker, [`Combiner`] and [`Merger`]. They do no input or output.
//!
//! Each beacon updates one session summary, which belongs to the session and the window of the beacon
//! ([`SessionStore::insert`]). When the window closes ([`SessionStore::close`]), its session summaries are added to
//! cells, once for each breakdown of their tenant. Therefore the cost of a beacon does not depend on the number of
//! breakdowns. A combiner sends the cells of one partition as partials ([`wire`]). A merger adds the partials of all
//! partitions.
//!
//! Records and the time are arguments of the operators. The operators return batches to send and offsets to commit.
//! The caller reports which batches were committed. Because this crate uses neither tokio nor Kafka nor a clock, the same
//! code runs with a broker, in `fold`, and in the simulation.
//!
//! ```
//! use std::sync::Arc;
//!
//! use crowdfold_airlock::{Airlock, Record, SessionHasher, Settings, Shared};
//! use crowdfold_model::{Dimension, Qualities, Span, Timestamp};
//! use crowdfold_engine::{Combiner, CombinerSettings, Merger, MergerSettings, Rules, Start};
//! use crowdfold_release::{Policies, Policy, PolicySettings};
//!
//! let breakdowns = vec![vec![Dimension::Os]];
//! let settings = PolicySettings { k: 2, allow_small_k: true, breakdowns, ..PolicySettings::default() };
//! let policies = Policies::new(Policy::threshold(settings)?, []);
//! let rules = Arc::new(Rules {
//!     window: Span::MINUTE,
//!     lateness: Span::SECOND * 30,
//!     idle: Span::SECOND * 90,
//!     breakdowns: policies.breakdowns(),
//!     qualities: Qualities::default(),
//!     max_sessions: 1_000,
//! });
//! let airlock = Airlock::new(&Arc::new(Shared::new(Settings::default(), SessionHasher::random())?), None);
//! let combine = CombinerSettings {
//!     rules: Arc::clone(&rules),
//!     partitions: 1,
//!     partial_partitions: 1,
//!     tenants: vec!["default".into()],
//!     topic: "beacons".into(),
//!     trust_timestamps: true,
//!     max_skew: Span::MINUTE,
//!     idle_timeout: Span::MINUTE,
//! };
//! let merge = MergerSettings { rules, partial_partitions: 1, policies, timeout: Span::MINUTE * 15 };
//! let now = Timestamp::from_millis(1_795_308_600_000);
//! fn fresh<C>() -> Start<C> {
//!     Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false }
//! }
//! let mut combiner = Combiner::new(Arc::new(combine), airlock, &fresh(), 0, false);
//! let mut merger = Merger::new(Arc::new(merge), &fresh(), 0, now);
//!
//! for (offset, session) in (0..).zip(["one", "two"]) {
//!     let payload = format!(r#"{{"ts":1795308528421,"session":"{session}","os":"Windows"}}"#);
//!     let record = Record {
//!         payload: payload.as_bytes(),
//!         content_type: None,
//!         timestamp: Some(Timestamp::from_millis(1_795_308_528_421)),
//!     };
//!     combiner.record(&record, offset, now)?;
//! }
//! let last = combiner.last_end();
//! combiner.finish(last);
//!
//! let partials = combiner.prepared().iter().flat_map(|batch| &batch.partials);
//! for (offset, partial) in (0..).zip(partials) {
//!     merger.record(&partial.value, offset, now)?;
//! }
//! let publication = merger.publish(now).expect("a closed window");
//! assert_eq!(publication.rollups[0].sessions(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod alarms;
mod checkpoint;
mod combiner;
mod counts;
mod error;
mod ledger;
mod low_offsets;
mod merger;
mod operators;
mod pack;
mod publication;
#[cfg(feature = "seeded-bugs")]
pub mod seeded_bugs;
mod sessions;
mod source;
mod start;
mod windows;
pub mod wire;

pub use alarms::Alarms;
pub use checkpoint::{Checkpoint, CombinerCheckpoint, Forced, MergerCheckpoint};
pub use combiner::{Combiner, CombinerSettings, PreparedBatch};
pub use counts::Counts;
pub use error::EngineError;
pub use ledger::{Ledger, MergeCounts, Released};
pub use merger::{Merger, MergerSettings};
pub use operators::{Operator, OperatorSet};
pub use pack::PartialRecord;
pub use publication::Publication;
pub use sessions::{Outcome, SessionStore};
pub use start::{Committed, Start, is_whole, plan_starts};
pub use windows::{ClosedWindow, MOST_CELLS, MOST_LEVELS, Rules};

/// True if this build contains seeded bugs, which only tests may use.
pub const HAS_SEEDED_BUGS: bool = cfg!(feature = "seeded-bugs");
