//! The result of an audit before formatting.

use crowdfold_audit::{Audit, Contents, RecordLocation, TopicCounts};
use crowdfold_kafka::KafkaError;
use crowdfold_kafka::topics::{Finding, Readers, Spec, TopicReport};
use crowdfold_model::Timestamp;
use crowdfold_worker::config::{finding_message, kafka_message};

/// The result of an audit.
#[derive(Default)]
pub(super) struct Report {
    /// The time of the audit.
    pub(super) now: Timestamp,
    pub(super) subjects: Vec<Subject>,
    pub(super) audit: Option<Audit>,
    /// Findings about topics as a whole, such as their readers.
    pub(super) findings: Vec<Line>,
    pub(super) unseen: Vec<Unseen>,
}

/// A topic that is audited.
pub(super) struct Subject {
    pub(super) spec: Spec,
    /// The kind of records in the topic, or `None` if the records are not read.
    pub(super) contents: Option<Contents>,
    /// True if the topic belongs to the configuration, so that its roles and limits apply.
    pub(super) is_ours: bool,
    pub(super) is_missing: bool,
    pub(super) age: Option<Ageing>,
    pub(super) readers: Option<Readers>,
}

impl Subject {
    pub(super) const fn of(spec: Spec) -> Self {
        Self { spec, contents: None, is_ours: true, is_missing: false, age: None, readers: None }
    }
}

/// The age of the records of a topic, and the bounds that follow from its settings.
pub(super) struct Ageing(pub(super) TopicReport);

/// A check that could not be made, and the reason.
#[derive(serde::Serialize)]
pub(super) struct Unseen {
    pub(super) what: String,
    pub(super) why: String,
}

/// A finding, ready to be printed.
pub(super) struct Line {
    pub(super) is_breach: bool,
    pub(super) name: &'static str,
    pub(super) topic: String,
    pub(super) partition: Option<u32>,
    pub(super) offset: Option<i64>,
    pub(super) field: Option<String>,
    pub(super) text: String,
    pub(super) other: Option<RecordLocation>,
}

impl Line {
    /// Creates a finding about a topic as a whole.
    pub(super) fn on(topic: &str, name: &'static str, is_breach: bool, text: String) -> Self {
        let (partition, offset, field, other) = (None, None, None, None);
        Self { is_breach, name, topic: topic.into(), partition, offset, field, text, other }
    }
}

impl Report {
    /// Records that a check could not be made.
    pub(super) fn miss(&mut self, what: String, why: &KafkaError) {
        self.unseen.push(Unseen { what, why: kafka_message(why) });
    }

    /// Returns all findings: about the contents of records, about the age of records, and about topics as a whole.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for found in self.audit.iter().flat_map(|audit| &audit.found) {
            lines.push(Line {
                is_breach: true,
                name: found.what.name(),
                topic: found.location.topic.clone(),
                partition: Some(found.location.partition),
                offset: Some(found.location.offset),
                field: found.field.clone(),
                text: match found.committed {
                    true => found.what.to_string(),
                    false => format!("{}, in an uncommitted transaction", found.what),
                },
                other: found.other.clone(),
            });
        }
        for subject in &self.subjects {
            lines.extend(subject.age.iter().flat_map(|age| age.lines()));
        }
        lines.extend(self.findings.iter().map(|line| Line {
            topic: line.topic.clone(),
            field: None,
            other: None,
            text: line.text.clone(),
            ..*line
        }));
        lines
    }

    /// Returns the number of all breaches. It includes breaches that are not listed because of `--limit`.
    pub(super) fn breaches(&self) -> u64 {
        let listed = self.lines().iter().filter(|line| line.is_breach).count() as u64;
        listed + self.more().map(|(.., more)| more).sum::<u64>()
    }

    /// Returns the number of findings that are not listed because of `--limit`, by finding and topic.
    pub(super) fn more(&self) -> impl Iterator<Item = &(&'static str, String, u64)> {
        self.audit.iter().flat_map(|audit| &audit.more)
    }

    /// Returns the numbers of records and tables read from a topic. Returns `None` if its records were not read.
    pub(super) fn looked(&self, subject: &Subject) -> Option<&TopicCounts> {
        let looked = self.audit.iter().flat_map(|audit| &audit.topics);
        looked.into_iter().find(|looked| looked.topic == subject.spec.topic && !subject.is_missing)
    }
}

impl Ageing {
    fn lines(&self) -> impl Iterator<Item = Line> {
        let TopicReport { topic, findings, times, .. } = &self.0;
        findings.iter().filter(|finding| finding.is_of_age()).map(move |finding| {
            let (name, partition) = match finding {
                Finding::Unbounded(_) => ("unbounded", None),
                Finding::Beyond { .. } => ("beyond-ttl", None),
                Finding::OnDisk { .. } => ("beyond-ttl-on-disk", None),
                Finding::Ahead { partition, .. } => ("dated-ahead", Some(*partition)),
                Finding::TooOld { .. } => ("brokers-too-old", None),
                Finding::Overstayed { partition, .. } => ("overstayed", Some(*partition)),
                _ => ("unmeasured", None),
            };
            let sum = times.map(|times| format!(" ({times})")).unwrap_or_default();
            let text = format!("{}{sum}", finding_message(finding));
            Line { partition, ..Line::on(topic, name, finding.is_breach(), text) }
        })
    }
}
