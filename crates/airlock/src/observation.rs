//! Observations: the validated, de-identified content of beacons.

use crate::Symbol;
use crowdfold_model::{Dimension, ErrorClass, Span, SumMetric, Timestamp, ValueMetric};

/// A tenant, as an index into [`crate::Settings::tenants`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(pub u16);

/// A keyed hash of tenant and session id. The key is random for each process and never leaves the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHash(pub(crate) u64);

impl SessionHash {
    /// Returns the hash as a number, for maps in memory. It must not be stored or sent.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The numbers of one beacon, rounded when the beacon is admitted. Sums in milliseconds are rounded to multiples of
/// 100, other sums to whole numbers, and values to two significant digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// True if playback was requested.
    pub attempt: bool,
    /// True if a first frame was shown, or if the player plays.
    pub play: bool,
    /// True if the session is open, but the player neither starts nor plays: it is paused, has ended, or reports no
    /// playback.
    pub idle: bool,
    /// True if the viewer has ended the session.
    pub end: bool,
    /// The class of the error, or `None` if there is no error.
    pub error: Option<ErrorClass>,
    /// True if the error ended playback or prevented its start.
    pub fatal: bool,
    /// The amounts since the previous beacon, in the order of [`SumMetric::ALL`]. For CMCD beacons, the amounts are 0,
    /// because such beacons contain totals instead ([`Playback::totals`]).
    pub sums: [u32; SumMetric::COUNT],
    /// The values, in the order of [`ValueMetric::ALL`]. A value is `None` if the beacon does not contain it.
    pub values: [Option<u32>; ValueMetric::COUNT],
}

impl Measures {
    /// Returns the amount of a metric since the previous beacon.
    #[must_use]
    pub const fn sum(&self, metric: SumMetric) -> u32 {
        self.sums[metric as usize]
    }

    /// Returns the value of a metric, or `None` if the beacon does not contain it.
    #[must_use]
    pub const fn value(&self, metric: ValueMetric) -> Option<u32> {
        self.values[metric as usize]
    }
}

/// The state of a player, as in the CMCD key `sta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// `s`: playback was requested, and no frame has been shown.
    Starting,
    /// `p`: media is playing.
    Playing,
    /// `k`: the player is seeking.
    Seeking,
    /// `r`: the player has stalled and fills its buffer.
    Rebuffering,
    /// `a`: the viewer has paused.
    Paused,
    /// `w`: the player waits for media. dash.js sends it instead of `r`.
    Waiting,
    /// `e`: the media has ended.
    Ended,
    /// `f`: a fatal error has occurred.
    Failed,
    /// `q`: the viewer has ended the session.
    Quit,
    /// `d`: media is loaded before playback is requested.
    Preloading,
}

/// The playback values of a CMCD beacon. CMCD contains states and totals instead of amounts, so the amounts must be
/// computed from several beacons of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playback {
    /// The state of the player, or `None` if the beacon contains none.
    pub state: Option<State>,
    /// True for event mode, in which a report is sent in its own request. The time of the report is the player's time,
    /// and the player may send the report much later. False for a request for media. Its time is the time of receipt.
    pub event: bool,
    /// True if the body of the request contained several reports. The player then collects reports before it sends
    /// them.
    pub batched: bool,
    /// True for the event `ps`, which reports a change of the state.
    pub changed: bool,
    /// True for the event `bc`, which reports a change of the bitrate.
    pub bitrate_changed: bool,
    /// A hash of the error code (the CMCD key `ec`), or `None` if the beacon contains no code. Players repeat the code
    /// after the error is over.
    pub code: Option<u32>,
    /// The error codes after the first one, or `None` if there is at most one code.
    pub more_codes: Option<Box<MoreCodes>>,
    /// A number that identifies the path to which the beacon was sent. A player sends repetitions to the same path.
    pub endpoint: u32,
    /// The bitrate of the selected representation in kbit/s, without rounding. It is absent in request mode.
    pub bitrate_kbps: Total,
    /// The totals since the start of the session, in the order of [`SumMetric::TOTALS`].
    pub totals: [Total; SumMetric::TOTALS.len()],
}

impl Playback {
    /// Returns true if the beacon contains a state, a total, or (in event mode) a bitrate.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.state.is_some()
            || self.totals.iter().any(|total| *total != Total::NONE)
            || self.bitrate_kbps != Total::NONE
    }
}

/// The error codes of a record after the first one. Few records contain several codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoreCodes(pub(crate) Vec<(u32, ErrorClass)>);

impl MoreCodes {
    /// Returns the hash and the class of each code.
    pub fn iter(&self) -> impl Iterator<Item = (u32, ErrorClass)> + '_ {
        self.0.iter().copied()
    }
}

/// A number that may be absent. It needs no more memory than a number that is always present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total(u32);

impl Total {
    /// The absent number.
    pub const NONE: Self = Self(u32::MAX);

    /// Creates a number that is present. It must be less than [`u32::MAX`], which is true of every plausible number.
    #[must_use]
    pub const fn of(total: u32) -> Self {
        Self(total)
    }

    /// Returns the number, or `None` if it is absent.
    #[must_use]
    pub const fn get(self) -> Option<u32> {
        if self.0 == Self::NONE.0 { None } else { Some(self.0) }
    }
}

/// A number that identifies a beacon within its session. Repetitions of the beacon have the same identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity(pub(crate) u64);

impl Identity {
    /// Returns the identity as a number, for comparison within one session.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The content of one beacon after the airlock: without IP address, session id and user agent. Only the airlock can
/// create an observation. An observation is kept in memory and never stored.
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
    /// Returns the keyed hash of the tenant and the session id.
    #[must_use]
    pub const fn session_hash(&self) -> SessionHash {
        self.session_hash
    }
    /// Returns the tenant to which the session belongs.
    #[must_use]
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }
    /// Returns the event time. This is the earlier time of the beacon's own time and the timestamp of its record.
    #[must_use]
    pub const fn event_time(&self) -> Timestamp {
        self.event_time
    }
    /// Returns the beacon's own time, which may be later than the timestamp of its record. If the beacon has no usable
    /// time, returns the timestamp of its record.
    #[must_use]
    #[inline]
    pub fn own_time(&self) -> Timestamp {
        self.event_time + Span::from_millis(self.ahead_ms.into())
    }
    /// Returns true if the beacon's own time was later than the timestamp of its record by more than
    /// the maximum skew. The timestamp of the record is then used instead.
    #[must_use]
    pub const fn clock_ahead(&self) -> bool {
        self.clock_ahead
    }
    /// Returns the symbol of the beacon's value for a dimension, or [`Symbol::NONE`] if the beacon has no value for it.
    #[must_use]
    pub const fn dimension(&self, dimension: Dimension) -> Symbol {
        self.dimensions[dimension.index()]
    }
    /// Returns the symbol of the beacon's value for the dimension with an index ([`Dimension::index`]), or
    /// [`Symbol::NONE`] if the beacon has no value for it.
    #[must_use]
    #[inline]
    pub const fn dimension_at(&self, index: usize) -> Symbol {
        self.dimensions[index]
    }
    /// Returns the numbers of the beacon.
    #[must_use]
    pub const fn measures(&self) -> &Measures {
        &self.measures
    }
    /// Returns the playback values of a CMCD beacon, or `None` for a JSON beacon, which contains amounts.
    #[must_use]
    pub const fn playback(&self) -> Option<&Playback> {
        self.playback.as_ref()
    }
    /// Returns the identity of the beacon, or `None` if the beacon contains nothing that distinguishes it from other
    /// beacons of its session.
    #[must_use]
    pub const fn identity(&self) -> Option<Identity> {
        self.identity
    }
    /// Returns true if the beacon opts its session out.
    #[must_use]
    pub const fn opt_out(&self) -> bool {
        self.opt_out
    }
    /// Returns true if the settings exclude the beacon. The reason is a child-directed tenant, child-directed content,
    /// or a bot.
    #[must_use]
    pub const fn excluded(&self) -> bool {
        self.excluded
    }
    /// Returns a number with one of 64 bits set. The network determines the bit. Returns 0 if networks
    /// are not counted, or if the network is unknown.
    #[must_use]
    pub const fn network_bit(&self) -> u64 {
        self.network_bit
    }
}
