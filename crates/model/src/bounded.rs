//! Bounded contributions: what sessions add to rows outside the detail table.
//!
//! Such a row carries noise whose standard deviation is a multiple of each field's clamp. Everything that one session
//! adds to it in one window must stay small beside that noise, so each amount is clamped, and all amounts of a session
//! together share one budget.

use crate::{Clamp, ErrorClass, Metric, Span, SumMetric, Sums, ValueMetric};

#[cfg(test)]
mod tests;

/// The number of fields.
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

/// The budget of one session in one row: the greatest sum of (amount ÷ clamp)².
const BUDGET: u128 = 4;

/// The position at which the budget of a session is spent on the first class of errors.
const ERRORS_SPENT: u8 = 4;

const fn is_shown(clamp: Clamp) -> usize {
    !matches!(clamp, Clamp::Hidden) as usize
}

/// The number of a row that a field carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A metric: a sum, or the sum of a distribution.
    Metric(Metric),
    /// The sessions with an error of a class.
    Error(ErrorClass),
}

/// A number that rows outside the detail table carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundedField {
    /// The name in rollups; classes of errors as `errors.network`.
    pub name: &'static str,
    /// The number of the row.
    pub source: Source,
    clamp: Clamp,
    spent: u8,
}

impl BoundedField {
    const NONE: Self = Self::of_error(ErrorClass::Other, 0);

    const fn of_error(class: ErrorClass, spent: u8) -> Self {
        Self { name: class.field(), source: Source::Error(class), clamp: Clamp::Fixed(1), spent }
    }

    const fn of_metric(metric: Metric, clamp: Clamp, spent: u8) -> Self {
        Self { name: metric.name(), source: Source::Metric(metric), clamp, spent }
    }

    /// Returns the most that one session contributes to a window of a length, in the unit of the field; at least 1.
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

/// The fields in the order in which the budget of a session is spent.
pub const BOUNDED_FIELDS: [BoundedField; COUNT] = {
    let mut fields = [BoundedField::NONE; COUNT];
    let (mut count, mut at) = (0, 0);
    while at < SumMetric::COUNT {
        let sum = SumMetric::ALL[at];
        if is_shown(sum.outside_detail()) == 1 {
            fields[count] = BoundedField::of_metric(Metric::Sum(sum), sum.outside_detail(), sum.spent());
            count += 1;
        }
        at += 1;
    }
    at = 0;
    while at < ValueMetric::COUNT {
        let value = ValueMetric::ALL[at];
        if is_shown(value.outside_detail()) == 1 {
            fields[count] =
                BoundedField::of_metric(Metric::Value(value), value.outside_detail(), value.spent());
            count += 1;
        }
        at += 1;
    }
    at = 0;
    while at < ErrorClass::COUNT {
        fields[count] = BoundedField::of_error(ErrorClass::ALL[at], ERRORS_SPENT + at as u8);
        count += 1;
        at += 1;
    }
    in_order(fields)
};

/// Sorts fields by the position at which the budget is spent on them (insertion sort, because it runs at compile time).
const fn in_order(mut fields: [BoundedField; COUNT]) -> [BoundedField; COUNT] {
    let mut at = 1;
    while at < COUNT {
        let mut to = at;
        while to > 0 && fields[to - 1].spent > fields[to].spent {
            (fields[to - 1], fields[to]) = (fields[to], fields[to - 1]);
            to -= 1;
        }
        at += 1;
    }
    fields
}

/// The position of each metric in [`BOUNDED_FIELDS`].
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

/// The position of the first class of errors in [`BOUNDED_FIELDS`]; the others follow it.
pub const FIRST_ERROR: usize = ERRORS_SPENT as usize;

impl Metric {
    /// Returns the position in [`BOUNDED_FIELDS`]; absent if the metric is shown in the detail table only.
    #[must_use]
    pub const fn bounded_position(self) -> Option<usize> {
        POSITIONS[self.index()]
    }
}

/// The contributions of sessions to each of [`BOUNDED_FIELDS`], in their order.
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

/// Clamps and budget for windows of one length, in whole numbers: (amount ÷ clamp)² is amount² × weight of `most` ÷ 4.
#[derive(Clone, Debug)]
pub struct Budget {
    clamps: [u64; COUNT],
    weights: [u128; COUNT],
    most: u128,
}

impl Budget {
    /// The budget of one session in a window of that length, which must divide a day: then no product overflows.
    #[must_use]
    pub fn new(window: Span) -> Self {
        let clamps = BOUNDED_FIELDS.map(|field| field.clamp(window));
        let common = clamps.iter().fold(1, |common, clamp| least_common_multiple(common, u128::from(*clamp)));
        let unit = common.saturating_mul(common);
        let weights = clamps.map(|clamp| unit / (u128::from(clamp) * u128::from(clamp)));
        Self { clamps, weights, most: unit.saturating_mul(BUDGET) }
    }

    /// Returns the contribution of one session: each amount clamped, and 0 where it would exceed the remaining budget.
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

/// Returns the amounts of one session in the order of [`BOUNDED_FIELDS`]; an absent value counts as 0.
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
