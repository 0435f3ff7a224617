//! The report as one JSON object, `crowdfold.audit/1`.

use std::io::{self, Write};

use crowdfold_kafka::topics::{Readers, Times};
use crowdfold_model::Span;
use serde_json::{Value, json};

use super::report::{Line, Report, Subject};

pub(super) fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let outcome = match (report.breaches(), report.unseen.is_empty()) {
        (1.., _) => "breach",
        (0, false) => "incomplete",
        (0, true) => "clean",
    };
    let whole = json!({
        "schema": "crowdfold.audit/1",
        "time": report.now.as_millis(),
        "outcome": outcome,
        "breaches": report.breaches(),
        "topics": report.subjects.iter().map(|subject| topic(report, subject)).collect::<Vec<_>>(),
        "findings": report.lines().iter().map(finding).collect::<Vec<_>>(),
        "more": report.more().map(|(name, topic, count)| json!({"finding": name, "topic": topic, "count": count})).collect::<Vec<_>>(),
        "not_checked": report.unseen,
    });
    serde_json::to_writer_pretty(&mut *out, &whole)?;
    writeln!(out)
}

fn topic(report: &Report, subject: &Subject) -> Value {
    let looked = report.looked(subject);
    let age = subject.age.as_ref().map(|age| &age.0);
    let bounds = age.and_then(|age| age.bounds);
    let readers = subject.readers.as_ref().map(|readers| match readers {
        Readers::Anyone => json!([{"principal": "anyone", "by": "no authorizer"}]),
        Readers::Listed(listed) => listed
            .iter()
            .map(|reader| json!({"principal": reader.principal, "by": reader.by.name()}))
            .collect(),
    });
    json!({
        "topic": subject.spec.topic,
        "purpose": subject.spec.purpose.name(),
        "records": looked.map(|looked| looked.records),
        "uncommitted": looked.map(|looked| looked.uncommitted),
        "tables": looked.map(|looked| looked.tables),
        "ttl_ms": subject.spec.ttl.as_millis() as u64,
        "readable_at_most_ms": bounds.and_then(|bounds| bounded(bounds.readable)),
        "on_disk_at_most_ms": bounds.and_then(|bounds| bounded(bounds.on_disk)),
        "settings": age.and_then(|age| age.times).map(times),
        "oldest_ms_by_partition": age.map(|age| age.oldest.iter().map(|age| age.map(Span::as_millis)).collect::<Vec<_>>()),
        "readers": readers,
    })
}

fn times(times: Times) -> Value {
    json!({
        "retention_ms": bounded(times.retention),
        "segment_ms": bounded(times.segment),
        "check_ms": bounded(times.check),
        "ahead_ms": bounded(times.ahead),
        "delete_delay_ms": bounded(times.delete_delay),
    })
}

/// Returns the time in milliseconds. Returns `None`, which is printed as `null`, if the time is unlimited.
fn bounded(time: Span) -> Option<u64> {
    (time != Span::MAX).then_some(time.as_millis())
}

fn finding(line: &Line) -> Value {
    let other = line.other.as_ref();
    json!({
        "finding": line.name,
        "breach": line.is_breach,
        "topic": line.topic,
        "partition": line.partition,
        "offset": line.offset,
        "field": line.field,
        "what": line.text,
        "compare": other.map(|other| json!({"topic": other.topic, "partition": other.partition, "offset": other.offset})),
    })
}
