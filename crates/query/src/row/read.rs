//! Parses rows. The fields of metrics are read by means of the lists of metrics, and all other fields by their names.

use std::borrow::Cow;
use std::fmt;

use crowdfold_model::{Metric, SumMetric, Timestamp, ValueMetric, Window};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{DistributionSummary, Row};

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

/// The window of a row as it is encoded, in milliseconds since the epoch.
#[derive(Deserialize)]
struct Interval {
    start: u64,
    end: u64,
}

impl From<Interval> for Window {
    fn from(interval: Interval) -> Self {
        Self { start: Timestamp::from_millis(interval.start), end: Timestamp::from_millis(interval.end) }
    }
}

/// The metrics that have been parsed. `None` means that the field is missing, and `Some(None)` that it is null.
#[derive(Default)]
struct Draft {
    sums: [Option<Option<i64>>; SumMetric::COUNT],
    values: [Option<Option<DistributionSummary>>; ValueMetric::COUNT],
}

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of crowdfold.rollup/1")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let (mut tenant, mut window, mut breakdown, mut detail) = (None, None, None, None);
        let (mut dimensions, mut row, mut rows, mut coverage) = (None, None, None, None);
        let (mut sessions, mut beacons, mut errors, mut policy) = (None, None, None, None);
        let mut draft = Draft::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "tenant" => tenant = Some(map.next_value()?),
                "window" => window = Some(map.next_value::<Interval>()?.into()),
                "breakdown" => breakdown = Some(map.next_value()?),
                "detail" => detail = map.next_value()?,
                "dimensions" => dimensions = Some(map.next_value()?),
                "row" => row = Some(map.next_value()?),
                "rows" => rows = Some(map.next_value()?),
                "coverage" => coverage = map.next_value()?,
                "sessions" => sessions = Some(map.next_value()?),
                "beacons" => beacons = Some(map.next_value()?),
                "errors" => errors = Some(map.next_value()?),
                "policy" => policy = Some(map.next_value()?),
                name => match Metric::named(name) {
                    Some(Metric::Sum(metric)) => draft.sums[metric as usize] = Some(map.next_value()?),
                    Some(Metric::Value(metric)) => draft.values[metric as usize] = Some(map.next_value()?),
                    None => drop(map.next_value::<IgnoredAny>()?),
                },
            }
        }
        Ok(Row {
            tenant: tenant.ok_or_else(|| A::Error::missing_field("tenant"))?,
            window: window.ok_or_else(|| A::Error::missing_field("window"))?,
            breakdown: breakdown.ok_or_else(|| A::Error::missing_field("breakdown"))?,
            detail,
            dimensions: dimensions.ok_or_else(|| A::Error::missing_field("dimensions"))?,
            row: row.ok_or_else(|| A::Error::missing_field("row"))?,
            rows: rows.ok_or_else(|| A::Error::missing_field("rows"))?,
            coverage,
            sessions: sessions.ok_or_else(|| A::Error::missing_field("sessions"))?,
            beacons: beacons.ok_or_else(|| A::Error::missing_field("beacons"))?,
            sums: complete(draft.sums, |at| SumMetric::ALL[at].name())?,
            errors: errors.ok_or_else(|| A::Error::missing_field("errors"))?,
            values: complete(draft.values, |at| ValueMetric::ALL[at].name())?,
            policy: policy.ok_or_else(|| A::Error::missing_field("policy"))?,
            added: None,
        })
    }
}

/// Returns the fields of all metrics. Each field must be present, but may be null.
fn complete<T, E: Error, const N: usize>(
    read: [Option<Option<T>>; N],
    name: impl Fn(usize) -> &'static str,
) -> Result<[Option<T>; N], E> {
    if let Some(at) = read.iter().position(Option::is_none) {
        return Err(E::missing_field(name(at)));
    }
    Ok(read.map(Option::flatten))
}
