//! Bounded contributions: the amounts that sessions add to rows outside the detail table.
//!
//! Each field of such a row has noise, and the standard deviation of the noise is a multiple of the clamp of the field.
//! All the amounts that one session adds to a row in one window must be small in comparison with the noise. Therefore
//! two limits apply. Each amount of a session is limited to the clamp of its field, and all amounts of a session
//! together are limited by one contribution budget.

use crate::{Clamp, ErrorClass, Metric, Span, SumMetric, Sums, ValueMetric};

#[cfg(test)]
mod tests;

/// The number of fields in a row outside the detail table, except the session count.
const COUNT: usize = {
    let mut count = ErrorClass::COUNT;
    let mut at = 0;
    while at < SumMetric::COUNT {
        count += is_shown(SumMetric::ALL[at].outside_detail());
        at += 1;
    }
    at = 0;
    while at < ValueMetric::COUNT {
        count += is_shown(ValueMetric::ALL[at].outside_detail());
        at += 1;
    }
    count
};

/// The contribution budget of one session in one row: the maximum of the sum of (amount ÷ clamp)² over all fields.
const BUDGET: u128 = 4;

/// The rank of the first class of errors. Fields use the contribution budget of a session in the order of their ranks.
const FIRST_ERROR_RANK: u8 = 4;

/// Returns 1 if rows outside the detail table contain a metric with this clamp. Returns 0 otherwise.
const fn is_shown(clamp: Clamp) -> usize {
    !matches!(clamp, Clamp::Hidden) as usize
}

/// The quantity that a number in a row represents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A sum, or the sum of the values of a distribution.
    Metric(Metric),
    /// The number of sessions with an error of this class.
    Error(ErrorClass),
}

/// A number that rows outside the detail table contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundedField {
    /// The name in rollups. A class of errors has a name such as `errors.network`.
    pub name: &'static str,
    /// The quantity that the number represents.
    pub source: Source,
    clamp: Clamp,
    rank: u8,
}

impl BoundedField {
    const NONE: Self = Self::of_error(ErrorClass::Other, 0);

    const fn of_error(class: ErrorClass, rank: u8) -> Self {
        Self { name: class.field(), source: Source::Error(class), clamp: Clamp::Fixed(1), rank }
    }

    const fn of_metric(metric: Metric, clamp: Clamp, rank: u8) -> Self {
        Self { name: metric.name(), source: Source::Metric(metric), clamp, rank }
    }

    /// Returns the maximum contribution of one session in a window of this length. The unit is that of the field. The
    /// result is at least 1.
    #[must_use]
    pub const fn clamp(&self, window: Span) -> u64 {
        match self.clamp {
            Clamp::Hidden => 1,
            Clamp::Fixed(clamp) => clamp,
            Clamp::PerMinute(clamp) => {
                let clamp =
                    (clamp as u128 * window.as_millis() as u128).div_ceil(Span::MINUTE.as_millis() as u128);
                if clamp == 0 {
                    1
                } else if clamp > u64::MAX as u128 {
                    u64::MAX
                } else {
                    clamp as u64
                }
            }
        }
    }
}

/// The fields of a row outside the detail table, in the order in which they use the contribution budget of a session.
pub const BOUNDED_FIELDS: [BoundedField; COUNT] = {
    let mut fields = [BoundedField::NONE; COUNT];
    let (mut count, mut at) = (0, 0);
    while at < SumMetric::COUNT {
        let sum = SumMetric::ALL[at];
        if is_shown(sum.outside_detail()) == 1 {
            fields[count] = BoundedField::of_metric(Metric::Sum(sum), sum.outside_detail(), sum.rank());
            count += 1;
        }
        at += 1;
    }
    at = 0;
    while at < ValueMetric::COUNT {
        let value = ValueMetric::ALL[at];
        if is_shown(value.outside_detail()) == 1 {
            fields[count] =
                BoundedField::of_metric(Metric::Value(value), value.outside_detail(), value.rank());
            count += 1;
        }
        at += 1;
    }
    at = 0;
    while at < ErrorClass::COUNT {
        fields[count] = BoundedField::of_error(ErrorClass::ALL[at], FIRST_ERROR_RANK + at as u8);
        count += 1;
        at += 1;
    }
    in_order(fields)
};

/// Sorts fields by their rank in the use of the contribution budget. The function is an insertion sort, because it must
/// run at compile time.
const fn in_order(mut fields: [BoundedField; COUNT]) -> [BoundedField; COUNT] {
    let mut at = 1;
    while at < COUNT {
        let mut to = at;
        while to > 0 && fields[to - 1].rank > fields[to].rank {
            (fields[to - 1], fields[to]) = (fields[to], fields[to - 1]);
            to -= 1;
        }
        at += 1;
    }
    fields
}

/// The index of each metric in [`BOUNDED_FIELDS`], by [`Metric::index`]. The entry is `None` if only the detail table
/// contains the metric.
const POSITIONS: [Option<usize>; Metric::COUNT] = {
    let mut positions = [None; Metric::COUNT];
    let mut at = 0;
    while at < COUNT {
        if let Source::Metric(metric) = BOUNDED_FIELDS[at].source {
            positions[metric.index()] = Some(at);
        }
        at += 1;
    }
    positions
};

/// The index of the first class of errors in [`BOUNDED_FIELDS`]. The other classes follow it.
pub const FIRST_ERROR: usize = FIRST_ERROR_RANK as usize;

impl Metric {
    /// Returns the index of the metric in [`BOUNDED_FIELDS`], or `None` if only the detail table contains the metric.
    #[must_use]
    pub const fn bounded_position(self) -> Option<usize> {
        POSITIONS[self.index()]
    }
}

/// The sum of the bounded contributions of sessions to each field, in the order of [`BOUNDED_FIELDS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Bounded(pub [u64; COUNT]);

impl Bounded {
    /// Adds the contributions of other sessions.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

/// The clamps of the fields and the contribution budget, for windows of one length. The arithmetic uses whole numbers.
/// `most` represents the budget of 4, and (amount² × weight) represents (amount ÷ clamp)².
#[derive(Clone, Debug)]
pub struct Budget {
    /// The clamp of each field.
    clamps: [u64; COUNT],
    /// The weight of each field. The cost of an amount is its square times this weight.
    weights: [u128; COUNT],
    /// The maximum of the sum of all costs of a session.
    most: u128,
}

impl Budget {
    /// Creates the clamps and the budget for windows of this length. The length must divide a day. Otherwise a product
    /// could overflow.
    #[must_use]
    pub fn new(window: Span) -> Self {
        let clamps = BOUNDED_FIELDS.map(|field| field.clamp(window));
        let common = clamps.iter().fold(1, |common, clamp| least_common_multiple(common, u128::from(*clamp)));
        let unit = common.saturating_mul(common);
        let weights = clamps.map(|clamp| unit / (u128::from(clamp) * u128::from(clamp)));
        Self { clamps, weights, most: unit.saturating_mul(BUDGET) }
    }

    /// Returns the bounded contributions of one session. Each amount is limited to its clamp. If an amount then exceeds
    /// the remaining budget, it becomes 0.
    #[must_use]
    pub fn bound(&self, amounts: [u64; COUNT]) -> Bounded {
        let mut left = self.most;
        let mut bounded = [0; COUNT];
        for (at, amount) in amounts.into_iter().enumerate() {
            let amount = amount.min(self.clamps[at]);
            let cost = u128::from(amount).pow(2).saturating_mul(self.weights[at]);
            if let Some(rest) = left.checked_sub(cost) {
                left = rest;
                bounded[at] = amount;
            }
        }
        Bounded(bounded)
    }
}

/// Returns the amounts of one session, in the order of [`BOUNDED_FIELDS`]. A metric without a value counts as 0.
#[must_use]
pub fn amounts(sums: &Sums, values: &[Option<u32>; ValueMetric::COUNT]) -> [u64; COUNT] {
    BOUNDED_FIELDS.map(|field| match field.source {
        Source::Metric(Metric::Sum(sum)) => sums[sum],
        Source::Metric(Metric::Value(value)) => values[value as usize].unwrap_or(0).into(),
        Source::Error(class) => sums.errors[class as usize],
    })
}

const fn least_common_multiple(one: u128, other: u128) -> u128 {
    let (mut a, mut b) = (one, other);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    one / a * other
}
