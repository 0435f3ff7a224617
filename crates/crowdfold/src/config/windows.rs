//! `[windows]`, `[sessions]`, `[merge]`, `[metrics]`.

use std::net::SocketAddr;

use super::layers::Layers;
use super::problem::Problem;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// `[windows]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Length of a base window (w), ms; a day is a whole number of them.
    pub length: u64,
    /// How long a window waits for late beacons (L), ms.
    pub lateness: u64,
    /// How far a beacon's time may be ahead of its record's, ms.
    pub max_skew: u64,
}

impl Windows {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        let length = layers.duration("windows.length", SECOND..=DAY)?;
        if !DAY.is_multiple_of(length) {
            let what = "a day is not a whole number of such windows: take for instance 1m, 5m or 1h";
            return Err(layers.refuse("windows.length", what));
        }
        Ok(Self {
            length,
            lateness: layers.duration("windows.lateness", 0..=HOUR)?,
            max_skew: layers.duration("windows.max_skew", 0..=HOUR)?,
        })
    }
}

/// `[sessions]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// How long what a beacon said of its session stands (H), ms.
    pub idle: u64,
    /// Most live sessions of one partition.
    pub max: usize,
}

impl Sessions {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        let max = layers.whole("sessions.max", 1..=100_000_000)?;
        Ok(Self {
            idle: layers.duration("sessions.idle", SECOND..=HOUR)?,
            max: usize::try_from(max).unwrap_or(usize::MAX),
        })
    }
}

/// `[merge]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// How long a window waits for a partition that does not come, ms.
    pub patience: u64,
}

impl Merge {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        Ok(Self { patience: layers.duration("merge.patience", SECOND..=DAY)? })
    }
}

/// `[metrics]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Where `/metrics`, `/healthz` and `/readyz` are served; `None` serves none.
    pub listen: Option<SocketAddr>,
}

impl Metrics {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        let address = |text: &str| {
            let want = "want an address and a port, such as 127.0.0.1:9464 or [::]:9464";
            text.parse().map_err(|_| {
                layers.refuse("metrics.listen", format!("found \"{}\", {want}", text.escape_debug()))
            })
        };
        Ok(Self { listen: layers.optional("metrics.listen")?.map(address).transpose()? })
    }
}
