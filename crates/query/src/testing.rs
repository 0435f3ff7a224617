//! Rows and queries for tests.

use crowdfold_model::Timestamp;
pub(crate) use crowdfold_testkit::rows::{MINUTE, counts_only, noisy, of_tenant, record, table};
use serde_json::Value;

use crate::{Args, Catalogue, Query, Reader, Row};

pub(crate) fn read(records: &[Vec<Value>]) -> Reader {
    let mut reader = Reader::new();
    records.iter().flatten().for_each(|record| reader.push(record.to_string().as_bytes()));
    reader
}

pub(crate) fn rows(records: &[Vec<Value>]) -> Vec<Row> {
    let reader = read(records);
    assert_eq!(reader.notes(), Vec::<String>::new());
    reader.rows().to_vec()
}

/// Returns a catalogue of five tenants. `acme` and `beta` have the industry `news`, `gamma` has `sport`, and `delta`
/// has no attributes. `shy` has the industry `news`, but must not be grouped with others.
pub(crate) fn catalogue() -> Catalogue {
    let tenant = |name: &str, attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        (name.to_owned(), attributes, name != "shy")
    };
    Catalogue::new([
        tenant("acme", &[("industry", "news"), ("plan", "pro")]),
        tenant("beta", &[("industry", "news"), ("plan", "free")]),
        tenant("gamma", &[("industry", "sport"), ("plan", "pro")]),
        tenant("delta", &[]),
        tenant("shy", &[("industry", "news"), ("plan", "pro")]),
    ])
}

/// Asserts that a text equals the content of a file in `fixtures`.
#[track_caller]
pub(crate) fn assert_is_fixture(text: &str, name: &str) {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(text, std::fs::read_to_string(path).unwrap());
}

/// Parses a query such as `--by os --where os=Windows`. The current time is minute 100.
pub(crate) fn query(flags: &str) -> Result<Query, crate::QueryError> {
    let mut args = Args::default();
    let mut words = flags.split_whitespace();
    while let Some(flag) = words.next() {
        if flag == "--across" {
            args.across = true;
            continue;
        }
        let value = words.next().unwrap();
        let value = value.replace("''", "");
        match flag {
            "--breakdown" => args.breakdown = Some(value),
            "--where" => args.where_.push(value.replace('_', " ")),
            "--since" => args.since = Some(value),
            "--tenant" => args.tenant = Some(value),
            "--by" => args.by = Some(value),
            "--every" => args.every = Some(value),
            other => panic!("no flag {other}"),
        }
    }
    Query::from_args(&args, &catalogue(), Timestamp::from_millis(100 * MINUTE))
}
