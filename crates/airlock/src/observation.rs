//! The validated, de-identified content of a beacon.

use crate::Symbol;
use crowdfold_model::{Dimension, ErrorClass, Span, SumMetric, Timestamp, ValueMetric};

/// An index into the catalogue of tenants ([`crate::Settings::tenants`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(pub u16);

/// A keyed hash of (tenant, session id). The key is random per process and never leaves it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHash(pub(crate) u64);

impl SessionHash {
    /// Returns the number, for maps in memory only.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The numbers of one beacon, rounded at entry: sums of times to 100 ms, other sums to whole numbers, and values to two
/// significant digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// True if playback was requested.
    pub attempt: bool,
    /// True if a first frame was shown, or if something plays.
    pub play: bool,
    /// True if the player is present and does neither: it has paused, has ended, or reports no playback.
    pub idle: bool,
    /// True if the viewer left.
    pub end: bool,
    /// The class of the error, if there is one.
    pub error: Option<ErrorClass>,
    /// True if the error ended playback or prevented its start.
    pub fatal: bool,
    /// The amounts since the previous beacon, in the order of [`SumMetric::ALL`]. CMCD reports totals instead
    /// ([`Playback::totals`]).
    pub sums: [u32; SumMetric::COUNT],
    /// The reported values, in the order of [`ValueMetric::ALL`].
    pub values: [Option<u32>; ValueMetric::COUNT],
}

impl Measures {
    /// Returns the sum of a metric since the previous beacon.
    #[must_use]
    pub const fn sum(&self, metric: SumMetric) -> u32 {
        self.sums[metric as usize]
    }

    /// Returns the reported value of a metric.
    #[must_use]
    pub const fn value(&self, metric: ValueMetric) -> Option<u32> {
        self.values[metric as usize]
    }
}

/// The activity of a player, as in CMCD's `sta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// `s`: playback was requested.
    Starting,
    /// `p`
    Playing,
    /// `k`
    Seeking,
    /// `r`
    Rebuffering,
    /// `a`
    Paused,
    /// `w`: waiting for media. dash.js sends it instead of `r`.
    Waiting,
    /// `e`
    Ended,
    /// `f`: a fatal error.
    Failed,
    /// `q`: the viewer left.
    Quit,
    /// `d`: loading before playback is requested.
    Preloading,
}

/// The playback values of a CMCD beacon. CMCD contains states and totals instead of amounts, so the amounts depend on
/// earlier beacons of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playback {
    /// The state, if present.
    pub state: Option<State>,
    /// True if it was sent on its own as an event. Then its time is the player's time, and it may arrive in a batch
    /// much later. A request for media has the time of the request.
    pub event: bool,
    /// True if it was in one body with other events, because its player collects events before it sends them.
    pub batched: bool,
    /// True if the event is a change of the state (`ps`).
    pub changed: bool,
    /// True if the event is a change of the bitrate (`bc`).
    pub bitrate_changed: bool,
    /// A hash of the error code (`ec`), if present. Players repeat it after the error is over.
    pub code: Option<u32>,
    /// The codes after the first one, if there are several.
    pub more_codes: Option<Box<MoreCodes>>,
    /// A number for the endpoint that received it. A player sends repetitions to the same endpoint.
    pub endpoint: u32,
    /// The bitrate of the selected representation in kbit/s, if an event contains it. It is not rounded.
    pub bitrate_kbps: Total,
    /// The totals since the start of the session, in the order of [`SumMetric::TOTALS`].
    pub totals: [Total; SumMetric::TOTALS.len()],
}

impl Playback {
    /// Returns true if it contains a state, a total or, in an event, a bitrate.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.state.is_some()
            || self.totals.iter().any(|total| *total != Total::NONE)
            || self.bitrate_kbps != Total::NONE
    }
}

/// The error codes of a record after its first one. Few records have any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoreCodes(pub(crate) Vec<(u32, ErrorClass)>);

impl MoreCodes {
    /// Returns the hash and the class of each code.
    pub fn iter(&self) -> impl Iterator<Item = (u32, ErrorClass)> + '_ {
        self.0.iter().copied()
    }
}

/// A total, if present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total(u32);

impl Total {
    /// An absent total.
    pub const NONE: Self = Self(u32::MAX);

    /// Creates a total. Every plausible total is much smaller than the greatest number.
    #[must_use]
    pub const fn of(total: u32) -> Self {
        Self(total)
    }

    /// Returns the total.
    #[must_use]
    pub const fn get(self) -> Option<u32> {
        if self.0 == Self::NONE.0 { None } else { Some(self.0) }
    }
}

/// The identity of a beacon within its session, which is the same for repetitions of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity(pub(crate) u64);

impl Identity {
    /// Returns the number, for comparison within one session.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A beacon after the airlock, without address, session id and user agent. Only the airlock creates it, and it is never
/// stored.
#[derive(Clone)]
pub struct Observation {
    pub(crate) session_hash: SessionHash,
    pub(crate) tenant: Tenant,
    pub(crate) event_time: Timestamp,
    pub(crate) ahead_ms: u32,
    pub(crate) clock_ahead: bool,
    pub(crate) dimensions: [Symbol; Dimension::COUNT],
    pub(crate) measures: Measures,
    pub(crate) playback: Option<Playback>,
    pub(crate) identity: Option<Identity>,
    pub(crate) opt_out: bool,
    pub(crate) excluded: bool,
    pub(crate) network_bit: u64,
}

impl Observation {
    /// Returns its session, within its tenant.
    #[must_use]
    pub const fn session_hash(&self) -> SessionHash {
        self.session_hash
    }
    /// Returns its tenant.
    #[must_use]
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }
    /// Returns the event time, which is the earlier of the beacon's own time and its record's timestamp.
    #[must_use]
    pub const fn event_time(&self) -> Timestamp {
        self.event_time
    }
    /// Returns the beacon's own time, which may be ahead of its record. Without one, returns the time of its record.
    #[must_use]
    #[inline]
    pub fn own_time(&self) -> Timestamp {
        self.event_time + Span::from_millis(self.ahead_ms.into())
    }
    /// Returns true if its time was ahead of its record by more than `windows.max_skew`, so that the record's time is
    /// used.
    #[must_use]
    pub const fn clock_ahead(&self) -> bool {
        self.clock_ahead
    }
    /// Returns its value for a dimension, or [`Symbol::NONE`] without a value.
    #[must_use]
    pub const fn dimension(&self, dimension: Dimension) -> Symbol {
        self.dimensions[dimension as usize]
    }
    /// Returns its numbers.
    #[must_use]
    pub const fn measures(&self) -> &Measures {
        &self.measures
    }
    /// Returns its playback values. They are `None` for a JSON beacon, which contains amounts.
    #[must_use]
    pub const fn playback(&self) -> Option<&Playback> {
        self.playback.as_ref()
    }
    /// Returns its identity. It is `None` if repetitions cannot be distinguished from other beacons.
    #[must_use]
    pub const fn identity(&self) -> Option<Identity> {
        self.identity
    }
    /// Returns true if the session opts out.
    #[must_use]
    pub const fn opt_out(&self) -> bool {
        self.opt_out
    }
    /// Returns true if its tenant, content or device is excluded.
    #[must_use]
    pub const fn excluded(&self) -> bool {
        self.excluded
    }
    /// Returns one of 64 bits by network, or 0 without `release.min_networks`.
    #[must_use]
    pub const fn network_bit(&self) -> u64 {
        self.network_bit
    }
}
