//! Computes the answers of the API.

use std::collections::BTreeMap;

use crowdfold_model::{Span, Timestamp};
use crowdfold_query::{Answer, Figure, Numbers, Point, QueryMetric, Rank, Row, csv_field};
use serde_json::{Map, Value, json};

use crate::question::{Form, Parameters, Question, Refusal};
use crate::{Access, Store};

use intervals::Intervals;

mod intervals;
mod reports;
#[cfg(test)]
mod tests;

/// The maximum number of rows of a breakdown, unless the request sets another limit.
pub(crate) const LIMIT: usize = 100;
pub(crate) const MOST: usize = 1_000;

/// An answer of the API, as JSON and as lines of CSV.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) json: Value,
    /// The lines of CSV. `None` if the answer cannot be written as CSV.
    pub(crate) csv: Option<Vec<Vec<String>>>,
}

impl Reply {
    /// Formats lines as CSV. Numbers are written unchanged, also negative ones.
    pub(crate) fn csv(lines: &[Vec<String>]) -> String {
        let field = |cell: &String| if cell.parse::<f64>().is_ok() { cell.clone() } else { csv_field(cell) };
        let line = |cells: &Vec<String>| cells.iter().map(field).collect::<Vec<_>>().join(",");
        lines.iter().map(|cells| line(cells) + "\n").collect()
    }
}

/// The parts of a request that are needed for every answer.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) store: &'a Store,
    pub(crate) access: &'a Access,
    pub(crate) now: Timestamp,
    pub(crate) detail: Span,
}

impl Asked<'_> {
    fn question(&self, parameters: &Parameters, form: Form) -> Result<Question, Refusal> {
        Question::of(parameters, self.store, self.access, form, (self.now, self.detail))
    }

    fn answer(&self, question: &Question) -> Result<Answer, Refusal> {
        let rows: Vec<Row> = self.store.rows(&question.selection)?;
        question.query.run(&rows).map_err(|error| Refusal::unanswerable(error.to_string()))
    }

    /// Answers `timeseries`.
    pub(crate) fn timeseries(&self, query: &str) -> Result<Reply, Refusal> {
        let names = ["tenant", "breakdown", "metric", "where", "by", "since", "until", "step"];
        let parameters = Parameters::parse(query, &names)?;
        let metrics = some_metrics(&parameters)?;
        let question = self.question(&parameters, Form::Intervals)?;
        let answer = self.answer(&question)?;
        let intervals = Intervals::of(self.store, &question)?;
        let mut series = Vec::new();
        let mut csv = vec![head(&["from", "to"], answer.by(), &["sessions"], &metrics)];
        for one in answer.series(&metrics) {
            let points: BTreeMap<Timestamp, _> =
                one.points.iter().map(|point| (floor(point.span.start, &question), point)).collect();
            let at = |start: &Timestamp| points.get(start).copied();
            let values = metrics.iter().enumerate().map(|(index, metric)| {
                let figures: Vec<Option<Figure>> = intervals
                    .starts
                    .iter()
                    .map(|start| at(start).and_then(|point| point.values[index]))
                    .collect();
                (metric.name().to_owned(), columns(&figures))
            });
            let of_points = |value: fn(&Point) -> Value| {
                intervals.starts.iter().map(|start| at(start).map(value)).collect::<Vec<_>>()
            };
            for start in &intervals.starts {
                let Some(point) = at(start) else { continue };
                let end = start.saturating_add(question.selection.step.unwrap_or_default());
                let mut cells = vec![start.to_string(), end.to_string()];
                cells.extend(one.key.iter().cloned());
                cells.push(point.sessions.to_string());
                cells.extend(point.values.iter().flat_map(|figure| texts(*figure)));
                csv.push(cells);
            }
            series.push(json!({
                "dimensions": dimensions(answer.by(), &one.key),
                "sessions": of_points(|point| point.sessions.into()),
                "numbers": of_points(|point| point.numbers.into()),
                "values": values.collect::<Map<_, _>>(),
            }));
        }
        let mut json = described(&question, &answer);
        json["intervals"] = intervals.json();
        json["step_ms"] = question.selection.step.unwrap_or_default().as_millis().into();
        json["series"] = series.into();
        Ok(Reply { json, csv: Some(csv) })
    }

    /// Answers `breakdown`.
    pub(crate) fn breakdown(&self, query: &str) -> Result<Reply, Refusal> {
        let names = ["tenant", "breakdown", "metric", "where", "by", "since", "until", "rank", "limit"];
        let parameters = Parameters::parse(query, &names)?;
        let metric = one_metric(&parameters)?;
        let rank = parameters.one("rank").unwrap_or("impact");
        let rank = Rank::named(rank).ok_or_else(|| {
            Refusal::bad(format!(
                "unknown rank \"{}\"; the ranks are value, sessions, impact",
                rank.escape_debug()
            ))
        })?;
        if rank == Rank::Impact && !metric.is_ratio() {
            return Err(Refusal::unanswerable(format!(
                "{} is not a ratio, so it has no impact; ask with rank=value or rank=sessions",
                metric.name()
            )));
        }
        let limit = limit(&parameters)?;
        let question = self.question(&parameters, Form::Whole)?;
        let answer = self.answer(&question)?;
        let ranking = answer.ranking(metric, rank).into_iter().next();
        let mut json = described(&question, &answer);
        let rows = ranking.as_ref().map(|ranking| &ranking.rows[..]).unwrap_or_default();
        let mut csv = vec![head(&[], answer.by(), &["sessions", "share"], &[metric])];
        if let Some(head) = csv.first_mut() {
            head.extend(["impact".into(), "impact_error".into()]);
        }
        for row in rows.iter().take(limit) {
            let mut cells = row.key.clone();
            cells.extend([row.sessions.to_string(), row.share.to_string()]);
            cells.extend(texts(row.value).into_iter().chain(texts(row.impact)));
            csv.push(cells);
        }
        json["metric"] = metric.name().into();
        json["rank"] = rank.name().into();
        json["overall"] = json!(ranking.as_ref().and_then(|ranking| ranking.overall));
        json["sessions"] = ranking.as_ref().map_or(0, |ranking| ranking.sessions).into();
        json["rows_in_total"] = rows.len().into();
        let row = |row: &crowdfold_query::RankedRow| {
            json!({
                "dimensions": dimensions(answer.by(), &row.key), "folded": row.is_folded(), "sessions": row.sessions,
                "share": row.share, "value": row.value, "impact": row.impact,
            })
        };
        json["rows"] = rows.iter().take(limit).map(row).collect();
        Ok(Reply { json, csv: Some(csv) })
    }

    /// Answers `compare`.
    pub(crate) fn compare(&self, query: &str) -> Result<Reply, Refusal> {
        let names = ["tenant", "breakdown", "metric", "where", "by", "since", "until", "against"];
        let parameters = Parameters::parse(query, &names)?;
        let metrics = some_metrics(&parameters)?;
        let question = self.question(&parameters, Form::Whole)?;
        let against = match (parameters.one("against"), parameters.span("against")) {
            (None, _) => question.selection.since.saturating_sub(Span::DAY),
            (Some(_), Ok(Some(span))) => question.selection.since.saturating_sub(span),
            _ => parameters.time("against", self.now)?.unwrap_or_default(),
        };
        let Some(shift) = question.selection.since.checked_since(against).filter(|shift| !shift.is_zero())
        else {
            return Err(Refusal::bad(
                "against is not before since; set it to an earlier time or to 1d or 1w",
            ));
        };
        let (question, earlier) = periods(question, shift);
        let (answer, before) = (self.answer(&question)?, self.answer(&earlier)?);
        let mut json = described(&question, &answer);
        json["against"] = earlier.selection.since.as_millis().into();
        json["against_until"] = earlier.selection.until.as_millis().into();
        let mut csv = vec![head(
            &[],
            answer.by(),
            &["metric", "now", "now_error", "before", "before_error", "change", "change_error", "relative"],
            &[],
        )];
        let mut rows = Vec::new();
        for one in answer.compare(&before, &metrics) {
            let mut cells = one.key.clone();
            cells.push(one.metric.name().to_owned());
            cells.extend([one.now, one.before, one.change()].into_iter().flat_map(texts));
            cells.push(one.relative().map(|part| part.to_string()).unwrap_or_default());
            csv.push(cells);
            rows.push(json!({
                "dimensions": dimensions(answer.by(), &one.key), "metric": one.metric.name(), "now": one.now,
                "before": one.before, "change": one.change(), "relative": one.relative(),
                "incomparable": one.incomparable,
            }));
        }
        json["rows"] = rows.into();
        Ok(Reply { json, csv: Some(csv) })
    }
}

/// Returns the question for the two periods of a comparison, of which the second begins `shift` before the first. Both
/// have the same length. If the earlier period is kept as sums of hours only, both consist of full hours.
fn periods(question: Question, shift: Span) -> (Question, Question) {
    // shorten both periods to the end of the newest published window of the tenant; otherwise only the later period
    // would lack windows
    let newest = if question.newest_of_tenant > question.selection.since {
        question.newest_of_tenant
    } else {
        question.newest
    };
    let end = newest.min(question.selection.until).max(question.selection.since);
    let (now, shift, until) = if question.selection.since.saturating_sub(shift) < question.hours_until {
        let now = question.in_full_hours(end);
        let hours = shift.as_millis() / Span::HOUR.as_millis();
        let until = now.selection.until;
        (now, Span::HOUR.times(hours.max(1)), until)
    } else {
        (question, shift, end)
    };
    let since = now.selection.since.saturating_sub(shift);
    let earlier = now.clone().between(since, until.saturating_sub(shift));
    (now, earlier)
}

fn floor(start: Timestamp, question: &Question) -> Timestamp {
    question.selection.step.map_or(start, |step| start.floor(step))
}

/// Returns the values and the standard errors as two lists.
fn columns(figures: &[Option<Figure>]) -> Value {
    let values: Vec<Option<f64>> = figures.iter().map(|figure| figure.map(|figure| figure.value)).collect();
    let errors: Vec<Option<f64>> =
        figures.iter().map(|figure| figure.and_then(|figure| figure.error)).collect();
    json!({"value": values, "error": errors})
}

fn texts(figure: Option<Figure>) -> [String; 2] {
    let text = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    [text(figure.map(|figure| figure.value)), text(figure.and_then(|figure| figure.error))]
}

fn head(first: &[&str], by: &[String], then: &[&str], metrics: &[QueryMetric]) -> Vec<String> {
    let mut head: Vec<String> = first.iter().map(|name| (*name).to_owned()).collect();
    head.extend(by.iter().cloned());
    head.extend(then.iter().map(|name| (*name).to_owned()));
    for metric in metrics {
        head.extend([metric.name().to_owned(), format!("{}_error", metric.name())]);
    }
    head
}

fn dimensions(by: &[String], key: &[String]) -> Map<String, Value> {
    by.iter().cloned().zip(key.iter().map(|value| json!(value))).collect()
}

/// Returns the description of the question. Every answer contains it.
fn described(question: &Question, answer: &Answer) -> Value {
    json!({
        "tenant": question.selection.tenant, "breakdown": question.selection.breakdown, "by": answer.by(),
        "numbers": answer.numbers().map(Numbers::name), "since": question.selection.since.as_millis(),
        "until": question.selection.until.as_millis(), "window_ms": question.length.as_millis(),
        "newest": question.newest.as_millis(), "folded_away": answer.folded_away(),
        "sessions_without_numbers": answer.sessions_without_numbers(), "rounded": question.is_rounded,
    })
}

fn some_metrics(parameters: &Parameters) -> Result<Vec<QueryMetric>, Refusal> {
    let metrics = parameters.metrics()?;
    if metrics.is_empty() {
        return Err(Refusal::bad(
            "metric is missing; set it to one or more metrics, such as metric=sessions,vsf",
        ));
    }
    Ok(metrics)
}

fn one_metric(parameters: &Parameters) -> Result<QueryMetric, Refusal> {
    match some_metrics(parameters)?[..] {
        [metric] => Ok(metric),
        _ => Err(Refusal::bad("metric contains several metrics; set it to one")),
    }
}

fn limit(parameters: &Parameters) -> Result<usize, Refusal> {
    let Some(text) = parameters.one("limit") else { return Ok(LIMIT) };
    let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| {
        Refusal::bad(format!("limit is \"{}\"; set it to a number from 1 to {MOST}", text.escape_debug()))
    })
}
