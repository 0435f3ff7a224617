//! The target `rollups`: the input of `query`. It may contain records of other programs.

use crowdfold_model::Timestamp;
use crowdfold_query::{Args, Catalogue, Query, Reader};

/// Asserts that no record on the topic causes a panic of `query`, in any output format.
pub fn check(data: &[u8]) {
    let named = Args { breakdown: Some("os,browser".into()), by: Some("os".into()), ..Args::default() };
    for args in [named, Args::default()] {
        let query = Query::from_args(&args, &Catalogue::default(), Timestamp::from_millis(1_795_308_600_000))
            .unwrap();
        let mut reader = Reader::for_query(&query);
        for value in data.split(|byte| *byte == b'\n') {
            reader.push(value);
        }
        for row in reader.rows() {
            assert!(row.figures().is_some(), "the reader accepted a row without a known noise");
        }
        if let Ok(answer) = query.run(reader.rows()) {
            let _ = (answer.notes(), answer.table(120), answer.json(), answer.csv());
            let answer = answer.with_errors(true);
            let _ = (answer.table(120), answer.csv());
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let rows = [
        include_str!("../../crates/query/fixtures/rollup.json"),
        include_str!("../../crates/query/fixtures/noisy.json"),
        include_str!("../../crates/query/fixtures/counts.json"),
    ];
    let rows = rows.map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap().to_string());
    let mut seeds: Vec<_> = rows.iter().map(|row| row.clone().into_bytes()).collect();
    seeds.push(format!("{}\n{0}", rows[0]).into_bytes());
    seeds.push(rows.join("\n").into_bytes());
    seeds
}
