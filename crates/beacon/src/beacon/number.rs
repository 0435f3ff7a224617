//! The numbers of a beacon, and their values.

use crowdfold_model::{Metric, SumMetric, Unit, ValueMetric};

use super::Text;

/// The numbers of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Time of the beacon, ms since the epoch.
    Ts,
    /// Sequence number: CMCD's `sn`.
    Sequence,
    /// Picture height, pixels.
    Height,
    /// Media buffered, ms.
    Buffer,
    /// A sum: in JSON the amount since the previous beacon, in CMCD the total since the start of the session.
    Sum(SumMetric),
    /// A value.
    Value(ValueMetric),
}

impl Number {
    /// The number of numbers that are no metrics.
    const PLAIN: usize = 4;
    pub(crate) const COUNT: usize = Self::PLAIN + SumMetric::COUNT + ValueMetric::COUNT;

    /// Returns the index of a number among all of them.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Ts => 0,
            Self::Sequence => 1,
            Self::Height => 2,
            Self::Buffer => 3,
            Self::Sum(metric) => Self::PLAIN + metric as usize,
            Self::Value(metric) => Self::PLAIN + SumMetric::COUNT + metric as usize,
        }
    }

    pub(super) const fn bit(self) -> u64 {
        1 << (Text::COUNT + self.index())
    }

    /// Returns the smallest and the largest whole number whose unit is certain: a time may also be of seconds, or of less
    /// than milliseconds.
    pub(crate) const fn plain_range(self) -> (u64, u64) {
        match self {
            Self::Ts => (100_000_000_000, 99_999_999_999_999),
            _ => (0, self.limit()),
        }
    }

    /// Returns the largest value that a sender can mean: of a time below 2^53 (what a browser can count to), of a
    /// sequence number below 2^32, of a height 16,384 pixels, of other numbers the limit of their unit.
    #[inline]
    #[must_use]
    pub const fn limit(self) -> u64 {
        LIMITS[self.index()]
    }
}

/// The limit of each number, in the order of [`Number::index`].
const LIMITS: [u64; Number::COUNT] = {
    let mut limits = [0; Number::COUNT];
    limits[Number::Ts.index()] = (1 << 53) - 1;
    limits[Number::Sequence.index()] = u32::MAX as u64;
    limits[Number::Height.index()] = 16_384;
    limits[Number::Buffer.index()] = Unit::Milliseconds.limit();
    let mut at = 0;
    while at < SumMetric::COUNT {
        let metric = SumMetric::ALL[at];
        limits[Number::Sum(metric).index()] = metric.unit().limit();
        at += 1;
    }
    at = 0;
    while at < ValueMetric::COUNT {
        let metric = ValueMetric::ALL[at];
        limits[Number::Value(metric).index()] = metric.unit().limit();
        at += 1;
    }
    limits
};

impl From<Metric> for Number {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Sum(metric) => Self::Sum(metric),
            Metric::Value(metric) => Self::Value(metric),
        }
    }
}

/// A number that is not negative, cut to a multiple of one half: what rounding half up to any whole unit needs, without
/// rounding twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    halves: u64,
}

impl Amount {
    /// None.
    pub const ZERO: Self = Self { halves: 0 };

    /// A whole number, if `field` may have it.
    #[must_use]
    pub const fn whole(field: Number, value: u64) -> Option<Self> {
        if value <= field.limit() { Some(Self { halves: value * 2 }) } else { None }
    }

    /// A whole number, if `field` may have it and there is no doubt of its unit: a time may also be of seconds, or of less
    /// than milliseconds.
    #[inline]
    pub(crate) const fn plain(field: Number, value: u64) -> Option<Self> {
        Self::within(field.plain_range(), value)
    }

    /// A whole number, if it is within a range.
    #[inline]
    pub(crate) const fn within((least, most): (u64, u64), value: u64) -> Option<Self> {
        if least <= value && value <= most { Some(Self { halves: value * 2 }) } else { None }
    }

    /// A fraction, if `field` may have it. Negative ones, infinities and not-a-numbers may not be had.
    #[must_use]
    pub fn fraction(field: Number, value: f64) -> Option<Self> {
        let allowed = value >= 0.0 && value <= field.limit() as f64;
        allowed.then_some(Self { halves: (value * 2.0) as u64 })
    }

    /// To the nearest whole number, half up.
    #[must_use]
    pub const fn rounded(self) -> u64 {
        self.halves.div_ceil(2)
    }

    /// To the nearest multiple of `step` (an even number), half up.
    #[must_use]
    pub const fn to_multiple_of(self, step: u64) -> u64 {
        (self.halves + step) / (2 * step) * step
    }

    /// To two significant digits (to whole numbers below 100), half up.
    #[must_use]
    pub const fn to_two_digits(self) -> u64 {
        if self.halves < 200 {
            return self.rounded();
        }
        let mut step = 10;
        while self.halves / 2 >= step * 100 {
            step *= 10;
        }
        self.to_multiple_of(step)
    }
}
