//! The number fields of a beacon, and the values of these fields.

use std::ops::Range;

use crowdfold_model::{Metric, SumMetric, Timestamp, Unit, ValueMetric};

use super::Text;

/// The number fields of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// The time of the beacon, in milliseconds since the epoch.
    Ts,
    /// The sequence number, from the CMCD key `sn`.
    Sequence,
    /// The height of the picture in pixels.
    Height,
    /// The length of the buffered media in milliseconds.
    Buffer,
    /// A metric that is summed. In JSON, the number is the amount since the previous beacon. In CMCD, the number is the
    /// total since the start of the session.
    Sum(SumMetric),
    /// A metric that is measured, such as a bitrate.
    Value(ValueMetric),
}

impl Number {
    /// The number of number fields that are not metrics.
    const PLAIN: usize = 4;
    pub(crate) const COUNT: usize = Self::PLAIN + SumMetric::COUNT + ValueMetric::COUNT;

    /// The indexes of the sums and of the values among all number fields.
    pub(super) const SUMS: Range<usize> = Self::PLAIN..Self::PLAIN + SumMetric::COUNT;
    pub(super) const VALUES: Range<usize> = Self::SUMS.end..Self::COUNT;

    /// Returns the index of the field among all number fields.
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

    /// Returns the smallest and the largest whole number with a certain unit. A time outside this range may be in
    /// seconds, microseconds or nanoseconds.
    pub(crate) const fn plain_range(self) -> (u64, u64) {
        match self {
            Self::Ts => (100_000_000_000, 99_999_999_999_999),
            _ => (0, self.limit()),
        }
    }

    /// Returns the largest valid value. It is 2^53 − 1 for a time (the largest exact integer in a browser), 2^32 − 1
    /// for a sequence number, 16,384 pixels for a height, and the limit of the metric or its unit for all other
    /// numbers.
    #[inline]
    #[must_use]
    pub const fn limit(self) -> u64 {
        LIMITS[self.index()]
    }
}

/// The largest valid value of each number field, in the order of [`Number::index`].
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
        limits[Number::Value(metric).index()] = metric.largest();
        at += 1;
    }
    limits
};

/// The range of whole numbers with a certain unit, for each number field ([`Number::plain_range`]).
pub(crate) static PLAIN_RANGES: [(u64, u64); Number::COUNT] = {
    let mut ranges = [(0, 0); Number::COUNT];
    let mut at = 0;
    while at < Number::COUNT {
        ranges[at] = (0, LIMITS[at]);
        at += 1;
    }
    ranges[Number::Ts.index()] = Number::Ts.plain_range();
    ranges
};

impl From<Metric> for Number {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Sum(metric) => Self::Sum(metric),
            Metric::Value(metric) => Self::Value(metric),
        }
    }
}

/// A number that is not negative, rounded down to a multiple of one half. If it is rounded half up to a whole number
/// afterwards, the result is the same as if the exact number were rounded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    halves: u64,
}

impl Amount {
    /// The amount 0.
    pub const ZERO: Self = Self { halves: 0 };

    /// Returns a whole number as an amount, or `None` if it exceeds the limit of `field`.
    #[must_use]
    pub const fn whole(field: Number, value: u64) -> Option<Self> {
        if value <= field.limit() { Some(Self { halves: value * 2 }) } else { None }
    }

    /// Returns a whole number as an amount, or `None` if it is invalid for `field` or its unit is uncertain
    /// ([`Number::plain_range`]).
    #[inline]
    pub(crate) const fn plain(field: Number, value: u64) -> Option<Self> {
        Self::within(field.plain_range(), value)
    }

    /// Returns a whole number as an amount, or `None` if it is outside the range.
    #[inline]
    pub(crate) const fn within((least, most): (u64, u64), value: u64) -> Option<Self> {
        if least <= value && value <= most { Some(Self { halves: value * 2 }) } else { None }
    }

    /// Returns a fraction as an amount, or `None` if it is negative, infinite, not a number, or exceeds the limit of
    /// `field`.
    #[must_use]
    pub fn fraction(field: Number, value: f64) -> Option<Self> {
        let allowed = value >= 0.0 && value <= field.limit() as f64;
        allowed.then_some(Self { halves: (value * 2.0) as u64 })
    }

    /// Returns true if the amount is a whole number.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.halves.is_multiple_of(2)
    }

    /// Returns the number of halves in the amount.
    pub(crate) const fn halves(self) -> u64 {
        self.halves
    }

    /// Returns an amount, or `None` if it exceeds the limit of the number field with this index.
    #[inline]
    pub(crate) const fn of_halves(index: usize, halves: u64) -> Option<Self> {
        if halves <= LIMITS[index] * 2 { Some(Self { halves }) } else { None }
    }

    /// Returns the nearest whole number. Halves are rounded up.
    #[must_use]
    pub const fn rounded(self) -> u64 {
        self.halves.div_ceil(2)
    }

    /// Returns the amount as a time. The amount must be a number of milliseconds since the epoch.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_millis(self.rounded())
    }

    /// Returns the nearest multiple of `step`. Halves are rounded up. `step` must be even.
    #[must_use]
    pub const fn to_multiple_of(self, step: u64) -> u64 {
        (self.halves + step) / (2 * step) * step
    }

    /// Returns the amount rounded to two significant digits. Halves are rounded up. An amount below 100 is rounded to a
    /// whole number.
    #[must_use]
    pub const fn to_two_digits(self) -> u64 {
        // The divisors are constants, because division by a constant is faster.
        match self.halves / 2 {
            0..100 => return self.rounded(),
            100..1_000 => return self.to_multiple_of(10),
            1_000..10_000 => return self.to_multiple_of(100),
            10_000..100_000 => return self.to_multiple_of(1_000),
            _ => {}
        }
        let mut step = 10_000;
        while self.halves / 2 >= step * 100 {
            step *= 10;
        }
        self.to_multiple_of(step)
    }
}
