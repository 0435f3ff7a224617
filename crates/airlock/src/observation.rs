//! What is left of a beacon after the airlock.

use crate::Symbol;
use crowdfold_model::{Dimension, ErrorClass, Millis, SumMetric, ValueMetric};

/// Index into the catalogue of tenants ([`crate::Settings::tenants`]).
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

/// The numbers of one beacon. They are rounded on entry: times of sums to 100 ms, other sums to whole numbers, values to
/// two significant digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// Playback was requested.
    pub attempt: bool,
    /// A first frame was shown, or something plays.
    pub play: bool,
    /// The player is there and does neither: it has paused, is at the end, or reports nothing that plays.
    pub idle: bool,
    /// An error, by class.
    pub error: Option<ErrorClass>,
    /// The error ended playback, or prevented it from starting.
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

/// What CMCD's `sta` says that a player does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// `s`: play was requested.
    Starting,
    /// `p`
    Playing,
    /// `k`
    Seeking,
    /// `r`
    Rebuffering,
    /// `a`
    Paused,
    /// `w`: for media, as dash.js says where others say `r`.
    Waiting,
    /// `e`
    Ended,
    /// `f`: a fatal error.
    Failed,
    /// `q`: left by its viewer.
    Quit,
    /// `d`: loads ahead of being asked to play.
    Preloading,
}

/// What a CMCD beacon says of playback. CMCD tells states and totals, not amounts: what these come to depends on what
/// the session said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playback {
    /// The state, where one is stated.
    pub state: Option<State>,
    /// It came on its own, as an event: then its time is the player's, and it may come in a batch long after it. With a
    /// request for media it is stated when the request is made.
    pub event: bool,
    /// It came in one body with other events: its player collects them before it sends any.
    pub batched: bool,
    /// The event is that the state changed (`ps`).
    pub changed: bool,
    /// The event is that the bitrate changed (`bc`).
    pub bitrate_changed: bool,
    /// A hash of the error code (`ec`), where one is stated. Players repeat it after the error is over.
    pub code: Option<u32>,
    /// The codes after the first one, where several are reported.
    pub more_codes: Option<Box<MoreCodes>>,
    /// A number for the endpoint that it was sent to. What a player repeats, it repeats to the same endpoint.
    pub endpoint: u32,
    /// The bitrate of the selected representation, kbit/s, where an event states one. Not rounded.
    pub bitrate_kbps: Total,
    /// What was counted since the start of the session.
    pub totals: Totals,
}

impl Playback {
    /// Returns true if it states a state, a total or, as an event, a bitrate.
    #[must_use]
    pub fn is_stated(&self) -> bool {
        self.state.is_some() || self.totals != Totals::default() || self.bitrate_kbps != Total::NONE
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

/// What a player counts from the start of a session (CMCD `dfa`, `bsa`, `bsda`): differences are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Frames dropped.
    pub dropped_frames: Total,
    /// Stalls.
    pub stalls: Total,
    /// Time stalled, ms.
    pub stalled_ms: Total,
}

/// A total, where one is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total(u32);

impl Total {
    /// None is stated.
    pub const NONE: Self = Self(u32::MAX);

    /// A total; every one that can be meant is far below the greatest number.
    #[must_use]
    pub const fn of(total: u32) -> Self {
        Self(total)
    }

    /// The total.
    #[must_use]
    pub const fn get(self) -> Option<u32> {
        if self.0 == Self::NONE.0 { None } else { Some(self.0) }
    }
}

impl Default for Total {
    fn default() -> Self {
        Self::NONE
    }
}

/// What tells a beacon from a repetition of itself, within its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity(pub(crate) u64);

impl Identity {
    /// The number, for comparison within one session.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// One beacon past the airlock: no address, no session, no user agent. Made here alone, never written anywhere.
#[derive(Clone)]
pub struct Observation {
    pub(crate) session_hash: SessionHash,
    pub(crate) tenant: Tenant,
    pub(crate) event_time: Millis,
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
    /// Its session, within its tenant.
    #[must_use]
    pub const fn session_hash(&self) -> SessionHash {
        self.session_hash
    }
    /// Its tenant.
    #[must_use]
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }
    /// The earlier of the beacon's own time and its record's timestamp.
    #[must_use]
    pub const fn event_time(&self) -> Millis {
        self.event_time
    }
    /// The beacon's own time, which may be ahead of its record's; where it has none, that of its record.
    #[must_use]
    pub const fn own_time(&self) -> Millis {
        self.event_time + self.ahead_ms as Millis
    }
    /// Its time was ahead of its record's by more than `windows.max_skew`, so that the record's time counts.
    #[must_use]
    pub const fn clock_ahead(&self) -> bool {
        self.clock_ahead
    }
    /// The value it reports for a dimension, [`Symbol::NONE`] where it reports none.
    #[must_use]
    pub const fn dimension(&self, dimension: Dimension) -> Symbol {
        self.dimensions[dimension as usize]
    }
    /// Its numbers.
    #[must_use]
    pub const fn measures(&self) -> &Measures {
        &self.measures
    }
    /// What it says of playback; `None` for a JSON beacon, which tells amounts.
    #[must_use]
    pub const fn playback(&self) -> Option<&Playback> {
        self.playback.as_ref()
    }
    /// What a repetition of it would share; `None` where nothing tells repetitions apart.
    #[must_use]
    pub const fn identity(&self) -> Option<Identity> {
        self.identity
    }
    /// The session asked not to be counted.
    #[must_use]
    pub const fn opt_out(&self) -> bool {
        self.opt_out
    }
    /// The tenant, content or device is one that is never counted.
    #[must_use]
    pub const fn excluded(&self) -> bool {
        self.excluded
    }
    /// One of 64 bits by network, 0 where `release.min_networks` is off.
    #[must_use]
    pub const fn network_bit(&self) -> u64 {
        self.network_bit
    }
}
