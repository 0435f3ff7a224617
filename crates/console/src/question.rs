//! Reads the parameters of a request, and refuses invalid ones.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{Dimension, Span, Timestamp, parse_duration, show_duration};
use crowdfold_query::{Args, Catalogue, Names, Query, QueryMetric, list_of_names};
use hyper::StatusCode;

use crate::tenants::Tenants;
use crate::{Access, Selection, Store};

#[cfg(test)]
mod tests;

/// The maximum number of intervals in an answer.
const INTERVALS: u64 = 5_000;

/// The maximum number of intervals in an answer if the request does not set `step`.
const CHOSEN: u64 = 240;
const STEPS: [u64; 11] = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440];

/// The period of the answer if the request does not set `since`.
const PERIOD: Span = Span::HOUR;

/// The reason for which a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    pub(crate) fn unanswerable(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, message: message.into() }
    }

    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: message.into() }
    }
}

impl From<crate::ConsoleError> for Refusal {
    fn from(error: crate::ConsoleError) -> Self {
        if matches!(error, crate::ConsoleError::TooMany { .. }) {
            return Self::unanswerable(error.to_string());
        }
        tracing::warn!("{error}");
        let message = "the store cannot be read; the log of the console contains the reason".into();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message }
    }
}

/// The parameters of a request, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(BTreeMap<String, Vec<String>>);

impl Parameters {
    /// Parses the query of an address. Refuses parameters whose names are not in `names`.
    pub(crate) fn parse(query: &str, names: &[&str]) -> Result<Self, Refusal> {
        let mut parameters = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if !names.contains(&&*name) {
                let name = name.escape_debug();
                let known = names.join(", ");
                return Err(Refusal::bad(format!(
                    "unknown parameter \"{name}\"; the parameters are {known}"
                )));
            }
            if !value.is_empty() {
                parameters.entry(name.into_owned()).or_default().push(value.into_owned());
            }
        }
        Ok(Self(parameters))
    }

    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|values| values.first()).map(String::as_str)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Returns the values of a parameter, which are separated by commas.
    fn list(&self, name: &str) -> Vec<String> {
        let values = self.all(name).flat_map(|list| list.split(','));
        values.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
    }

    /// Returns the metrics in the parameter `metric`. A metric that is named several times is answered once.
    pub(crate) fn metrics(&self) -> Result<Vec<QueryMetric>, Refusal> {
        let metric = |name: &String| {
            QueryMetric::named(name).ok_or_else(|| {
                let known: Vec<_> = QueryMetric::all().map(QueryMetric::name).collect();
                let name = name.escape_debug();
                Refusal::bad(format!("unknown metric \"{name}\"; the metrics are {}", known.join(", ")))
            })
        };
        let mut metrics = Vec::new();
        for name in self.list("metric") {
            let metric = metric(&name)?;
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        Ok(metrics)
    }

    /// Returns the time in a parameter. It is absolute, or a length of time before now.
    pub(crate) fn time(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let millis = || text.parse::<u64>().ok().map(Timestamp::from_millis);
        let before = || parse_duration(text).map(|length| now.saturating_sub(length.into()));
        let time = text.parse::<Timestamp>().ok().or_else(millis).or_else(before);
        time.map(Some).ok_or_else(|| {
            let text = text.escape_debug();
            Refusal::bad(format!(
                "{name} is \"{text}\"; set it to a time such as 2026-11-30T08:00:00Z, to milliseconds since 1970, or \
                 to a length of time before now such as 1h"
            ))
        })
    }

    /// Returns the length of time in a parameter.
    pub(crate) fn span(&self, name: &str) -> Result<Option<Span>, Refusal> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let span = parse_duration(text).map(Span::from).filter(|span| !span.is_zero());
        span.map(Some).ok_or_else(|| {
            let text = text.escape_debug();
            Refusal::bad(format!("{name} is \"{text}\"; set it to a length of time such as 5m, 1h or 1d"))
        })
    }
}

/// A question about one table.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) query: Query,
    pub(crate) selection: Selection,
    /// The length of the tenant's windows.
    pub(crate) length: Span,
    /// The start of the first window of any tenant.
    pub(crate) first: Timestamp,
    /// The end of the newest window of any tenant.
    pub(crate) newest: Timestamp,
    /// The end of the newest window of the tenant.
    pub(crate) newest_of_tenant: Timestamp,
    /// The time before which windows are kept as sums of hours only.
    pub(crate) hours_until: Timestamp,
    /// True if the period of the request was changed to full hours.
    pub(crate) is_rounded: bool,
}

/// The number of values in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One value of each metric for the whole period.
    Whole,
    /// One value of each metric for each interval.
    Intervals,
}

impl Question {
    pub(crate) fn of(
        parameters: &Parameters,
        store: &Store,
        access: &Access,
        form: Form,
        (now, detail): (Timestamp, Span),
    ) -> Result<Self, Refusal> {
        let tenants = Tenants::of(store, access)?;
        let tenant = tenants.asked(parameters)?;
        let breakdowns = store.breakdowns(&tenant)?;
        let known = Names::new(custom_dimensions(&breakdowns));
        let args = Args {
            breakdown: None,
            where_: conditions(parameters, &known)?,
            by: Some(dimensions(parameters, "by", &known)?.join(",")),
            tenant: Some(tenant.clone()),
            ..Args::default()
        };
        let (breakdown, query) = table(parameters, &breakdowns, &known, &args, now)?;
        let until = parameters.time("until", now)?.unwrap_or(now);
        let since = parameters.time("since", now)?.unwrap_or_else(|| until.saturating_sub(PERIOD));
        in_order(since, until)?;
        let length = store.window_length(&tenant)?.unwrap_or(Span::MINUTE);
        let hours_until = hours_until(store, (&tenant, &breakdown), length, now.saturating_sub(detail))?;
        let asked = (since, until);
        let (since, until) = outward(asked, hours_until);
        let step = match form {
            Form::Whole => None,
            Form::Intervals => Some(step(parameters, (since, until), length, hours_until)?),
        };
        let query = query.between(since, until);
        let query = match step {
            Some(step) => query.every(step),
            None => query,
        };
        let dimensions = query.relevant_dimensions();
        let selection = Selection { tenant, breakdown, dimensions, since, until, step };
        let (first, newest) = (tenants.first, tenants.newest);
        let newest_of_tenant = tenants.seen.get(&selection.tenant).map_or(newest, |(_, newest)| *newest);
        let is_rounded = asked != (since, until);
        Ok(Self { query, selection, length, first, newest, newest_of_tenant, hours_until, is_rounded })
    }

    /// Changes the period of the question.
    pub(crate) fn between(mut self, since: Timestamp, until: Timestamp) -> Self {
        self.query = self.query.between(since, until);
        (self.selection.since, self.selection.until) = (since, until);
        self
    }

    /// Changes the period to the last full hours before `end`. The number of hours is the length of the period from the
    /// start of the question to `end`, rounded up.
    pub(crate) fn in_full_hours(mut self, end: Timestamp) -> Self {
        let hours = end.saturating_since(self.selection.since).as_millis().div_ceil(Span::HOUR.as_millis());
        let end = end.floor(Span::HOUR);
        self.is_rounded = true;
        self.between(end.saturating_sub(Span::HOUR.times(hours.max(1))), end)
    }
}

/// Refuses a period that ends before it begins.
pub(crate) fn in_order(since: Timestamp, until: Timestamp) -> Result<(), Refusal> {
    if since < until {
        return Ok(());
    }
    Err(Refusal::bad(format!("since ({since}) is not before until ({until}); set it to an earlier time")))
}

/// Returns the time before which the windows of a table are kept as sums of hours only. Windows of an hour or more are
/// kept unchanged.
fn hours_until(
    store: &Store,
    (tenant, breakdown): (&str, &str),
    length: Span,
    detail: Timestamp,
) -> Result<Timestamp, Refusal> {
    if length >= Span::HOUR {
        return Ok(Timestamp::EPOCH);
    }
    // the second time is later if the period of detailed rows was shorter before
    let stored = store.end_of_hours(tenant, breakdown)?.unwrap_or_default();
    Ok(detail.floor(Span::HOUR).max(stored))
}

/// Rounds the bounds of a period outward to full hours where only sums of hours are kept.
fn outward((since, until): (Timestamp, Timestamp), hours_until: Timestamp) -> (Timestamp, Timestamp) {
    let start = if since < hours_until { since.floor(Span::HOUR) } else { since };
    let end = if until < hours_until { until.ceil(Span::HOUR) } else { until };
    (start, end)
}

/// Returns the dimensions of a tenant that are not built in. They occur in the names of its tables.
fn custom_dimensions(breakdowns: &BTreeMap<String, bool>) -> BTreeSet<&str> {
    let names = breakdowns.keys().flat_map(|breakdown| breakdown.split('.'));
    names.filter(|name| Dimension::named(name).is_none()).collect()
}

/// Returns the names of dimensions in a parameter.
fn dimensions(
    parameters: &Parameters,
    parameter: &'static str,
    known: &Names<'_>,
) -> Result<Vec<String>, Refusal> {
    let list = parameters.list(parameter).join(",");
    if list.is_empty() {
        return Ok(Vec::new());
    }
    for name in list.split([',', '.']) {
        known.check(name).map_err(|error| Refusal::bad(format!("{parameter}: {error}")))?;
    }
    list_of_names(parameter, &list).map_err(|error| Refusal::bad(error.to_string()))
}

/// Returns the conditions, such as `os:Windows` or `os=Windows`.
fn conditions(parameters: &Parameters, known: &Names<'_>) -> Result<Vec<String>, Refusal> {
    let condition = |text: &str| {
        let (name, value) =
            text.split_once([':', '=']).filter(|(_, value)| !value.is_empty()).ok_or_else(|| {
                Refusal::bad(format!("where is \"{}\"; write it like os:Windows", text.escape_debug()))
            })?;
        known.check(name).map_err(|error| Refusal::bad(format!("where: {error}")))?;
        Ok(format!("{name}={value}"))
    };
    parameters.all("where").map(condition).collect()
}

/// Selects the table. If the request names no table, this is a table with all dimensions of the question, preferably
/// the detail table.
fn table(
    parameters: &Parameters,
    breakdowns: &BTreeMap<String, bool>,
    known: &Names<'_>,
    args: &Args,
    now: Timestamp,
) -> Result<(String, Query), Refusal> {
    let query = |breakdown: &str| {
        let args = Args { breakdown: Some(breakdown.to_owned()), ..args.clone() };
        Query::from_args(&args, &Catalogue::default(), now).map_err(|error| error.to_string())
    };
    if parameters.one("breakdown").is_some() {
        let asked = dimensions(parameters, "breakdown", known)?.join(".");
        if !breakdowns.contains_key(&asked) {
            return Err(Refusal::unknown(format!(
                "no table {asked} was published; the breakdowns of {} are {}",
                args.tenant.as_deref().unwrap_or_default(),
                breakdowns.keys().cloned().collect::<Vec<_>>().join(", ")
            )));
        }
        return query(&asked).map(|query| (asked, query)).map_err(Refusal::unanswerable);
    }
    let fitting = breakdowns.iter().filter_map(|(name, detail)| Some((!detail, name, query(name).ok()?)));
    match fitting.min_by_key(|(detail, name, _)| (*detail, (*name).clone())) {
        Some((_, name, query)) => Ok((name.clone(), query)),
        None => Err(Refusal::unanswerable(format!(
            "no published table answers this question, because tables cannot be joined and a table is grouped by its \
             first dimensions; {}",
            nearest(breakdowns, args)
        ))),
    }
}

/// Suggests a similar question that can be answered. It uses the table that has most of the queried dimensions, and
/// groups by the first dimensions of that table.
fn nearest(breakdowns: &BTreeMap<String, bool>, args: &Args) -> String {
    let by = args.by.as_deref().unwrap_or_default().split(',').filter(|name| !name.is_empty());
    let of_conditions = args.where_.iter().filter_map(|condition| condition.split('=').next());
    let asked: Vec<&str> = by.chain(of_conditions).collect();
    let shared = |name: &str| name.split('.').filter(|dimension| asked.contains(dimension)).count();
    let Some((best, _)) = breakdowns.iter().max_by_key(|(name, _)| shared(name)) else {
        return "no table was published".into();
    };
    let dimensions: Vec<&str> = best.split('.').collect();
    let last = dimensions.iter().rposition(|dimension| asked.contains(dimension)).unwrap_or(0);
    format!("ask with breakdown={best} and by={}", dimensions[..=last].join(","))
}

/// Returns the length of the intervals, which is the parameter `step` or a suitable default.
fn step(
    parameters: &Parameters,
    (since, until): (Timestamp, Timestamp),
    length: Span,
    detail: Timestamp,
) -> Result<Span, Refusal> {
    let period = until.saturating_since(since).as_millis();
    let in_hours = since < detail.floor(Span::HOUR);
    if let Some(step) = parameters.span("step")? {
        if period / step.as_millis() > INTERVALS {
            return Err(Refusal::bad(format!(
                "step gives more than {INTERVALS} intervals; set it to a longer time"
            )));
        }
        if in_hours && !step.is_multiple_of(Span::HOUR) {
            return Err(Refusal::bad(format!(
                "step is not a multiple of 1h, but windows before {detail} are added up to hours; set it to 1h, or set \
                 since to a later time"
            )));
        }
        if step > length && !step.is_multiple_of(length) {
            return Err(Refusal::bad(format!(
                "step is not a multiple of the length of a window; set it to a multiple of {}",
                show_duration(length.into())
            )));
        }
        return Ok(step.max(length));
    }
    let fits = |step: &Span| {
        period / step.as_millis() <= CHOSEN
            && step.is_multiple_of(length)
            && (!in_hours || step.is_multiple_of(Span::HOUR))
    };
    let steps = STEPS.into_iter().map(|minutes| Span::MINUTE.times(minutes));
    let longer = || Span::DAY.times(period.div_ceil(Span::DAY.times(CHOSEN).as_millis()).max(1));
    let shortest = (period / length.as_millis().max(1) <= CHOSEN && !in_hours).then_some(length);
    Ok(shortest.or_else(|| steps.into_iter().find(fits)).unwrap_or_else(longer))
}
