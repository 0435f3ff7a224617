//! Rows as `query` reads them, from a topic that another program may have written.

use crowdfold_console::{Args, Catalogue, Query, Reader};

/// Whatever is on the topic, an answer comes of it.
pub fn check(data: &[u8]) {
    let args = Args { drilldown: Some("os,browser".into()), by: Some("os".into()), ..Args::default() };
    let query = Query::from_args(&args, &Catalogue::default(), 1_795_308_600_000).unwrap();
    let mut reader = Reader::for_query(&query);
    for value in data.split(|byte| *byte == b'\n') {
        reader.push(value);
    }
    if let Ok(answer) = query.run(reader.rows()) {
        let _ = (answer.table(120), answer.json(), answer.csv());
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let row = include_str!("../../crates/console/fixtures/rollup.json");
    let compact = serde_json::from_str::<serde_json::Value>(row).unwrap().to_string();
    vec![compact.clone().into_bytes(), format!("{compact}\n{compact}").into_bytes()]
}
