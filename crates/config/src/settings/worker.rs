//! The section `[worker]`: the threads of the worker.

use serde::Deserialize;

use crate::fields;

/// The section `[worker]`: the threads of the worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// The maximum number of threads that process the partitions of one stage. `None` is the number of cores.
    #[serde(deserialize_with = "fields::whole_or_auto::<1, 256, _, _>")]
    pub threads: Option<usize>,
}
