//! The report as a table: the topics, the findings, the checks that could not be made, and the outcome.

use std::io::{self, Write};

use crowdfold_kafka::topics::{Grant, Reader, Readers, TopicReport};
use crowdfold_model::Span;
use crowdfold_query::layout::{self, Align};

use super::report::{Line, Report, Subject};

pub(super) fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let heads = ["TOPIC", "RECORDS", "TABLES", "OLDEST", "READABLE AT MOST", "MAY READ"];
    let topics: Vec<[String; 6]> = report.subjects.iter().map(|subject| topic(report, subject)).collect();
    rows(&heads, &topics, &[1, 2, 3], out)?;
    let (breaches, notes): (Vec<Line>, Vec<Line>) =
        report.lines().into_iter().partition(|line| line.is_breach);
    if !breaches.is_empty() {
        writeln!(out)?;
        let heads = ["BREACH", "TOPIC", "PARTITION", "OFFSET", "FIELD", "WHAT"];
        rows(&heads, &breaches.iter().map(line).collect::<Vec<_>>(), &[2, 3], out)?;
    }
    for (name, topic, more) in report.more() {
        writeln!(out, "{more} more of {name} in {topic} (raise --limit to list them)")?;
    }
    for (at, (text, topics)) in gathered(&notes).iter().enumerate() {
        writeln!(out, "{}note: {}: {text}", if at == 0 { "\n" } else { "" }, topics.join(", "))?;
    }
    for (at, unseen) in report.unseen.iter().enumerate() {
        writeln!(out, "{}not checked: {}: {}", if at == 0 { "\n" } else { "" }, unseen.what, unseen.why)?;
    }
    if breaches.is_empty() && report.unseen.is_empty() {
        let looked = report.audit.iter().flat_map(|audit| &audit.topics);
        let records: u64 = looked.map(|looked| looked.records).sum();
        writeln!(out, "\nclean: {records} records read, no breach found")?;
    }
    Ok(())
}

/// Combines notes with equal text into one note that lists all their topics.
fn gathered(notes: &[Line]) -> Vec<(&str, Vec<&str>)> {
    let mut gathered: Vec<(&str, Vec<&str>)> = Vec::new();
    for note in notes {
        match gathered.iter_mut().find(|(text, _)| *text == note.text) {
            Some((_, topics)) => topics.push(&note.topic),
            None => gathered.push((&note.text, vec![&note.topic])),
        }
    }
    gathered
}

fn topic(report: &Report, subject: &Subject) -> [String; 6] {
    let none = || "-".to_owned();
    let looked = report.looked(subject);
    let age = subject.age.as_ref().map(|age| &age.0);
    let readable = age.map_or_else(none, readable);
    let oldest = age.map_or_else(none, |age| age.oldest().map_or("empty".into(), shown));
    [
        subject.spec.topic.clone(),
        looked.map_or_else(none, |looked| looked.records.to_string()),
        looked.filter(|looked| looked.tables > 0).map_or_else(none, |looked| looked.tables.to_string()),
        oldest,
        readable,
        readers(subject.readers.as_ref()),
    ]
}

/// Rounds an age to seconds, because ages are measured in seconds.
fn shown(span: Span) -> String {
    (Span::SECOND * span.as_secs()).to_string()
}

/// Formats the time for which records can be read, as `1h = retention 44m + segment 11m + check 5m`.
fn readable(age: &TopicReport) -> String {
    let (Some(bounds), Some(times)) = (age.bounds, age.times) else { return "-".into() };
    let sum = if bounds.readable == Span::MAX { "forever".into() } else { bounds.readable.to_string() };
    format!("{sum} = {times}")
}

fn readers(readers: Option<&Readers>) -> String {
    match readers {
        None => "-".into(),
        Some(Readers::Anyone) => "anyone".into(),
        Some(Readers::Listed(listed)) if listed.is_empty() => "no principal".into(),
        Some(Readers::Listed(listed)) => {
            let perhaps = |reader: &Reader| if reader.by == Grant::Perhaps { "perhaps " } else { "" };
            let named = listed.iter().map(|reader| format!("{}{}", perhaps(reader), reader.principal));
            named.collect::<Vec<_>>().join(", ")
        }
    }
}

fn line(line: &Line) -> [String; 6] {
    let none = || "-".to_owned();
    let other = line.other.as_ref().map(|other| {
        let topic = if other.topic == line.topic { String::new() } else { format!("{}, ", other.topic) };
        format!(" (compare {topic}partition {}, offset {})", other.partition, other.offset)
    });
    [
        line.name.into(),
        line.topic.clone(),
        line.partition.map_or_else(none, |partition| partition.to_string()),
        line.offset.map_or_else(none, |offset| offset.to_string()),
        line.field.clone().unwrap_or_else(none),
        format!("{}{}", line.text, other.unwrap_or_default()),
    ]
}

/// Prints a table. Columns whose indexes are in `right` are aligned to the right.
fn rows<const N: usize>(
    heads: &[&str; N],
    rows: &[[String; N]],
    right: &[usize],
    out: &mut impl Write,
) -> io::Result<()> {
    let aligns = std::array::from_fn(|at| if right.contains(&at) { Align::Right } else { Align::Left });
    let all: Vec<_> = std::iter::once(heads.map(str::to_owned)).chain(rows.iter().cloned()).collect();
    layout::lines(aligns, &all).iter().try_for_each(|line| writeln!(out, "{line}"))
}
