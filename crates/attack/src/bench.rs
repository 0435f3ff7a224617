//! Builds rows as the program would publish them if a rule were disabled. For attacks that need thousands of windows,
//! this module also builds the normal rows, because its sampler is faster than that of the program. The noise is a
//! rounded Gaussian. Only [`crate::product`] draws the program's own noise.

use serde_json::{Map, Value, json};

use crowdfold_testkit::oracle::{BOUNDED, clamp_of};

use crate::random::Random;
use crate::scenario::{Group, Rules, Scenario, WINDOW};
use crate::traffic::TABLES;

/// Returns the rows of all tables.
pub(crate) fn publish(scenario: &Scenario, random: &mut Random) -> Vec<Value> {
    let mut rollups = Vec::new();
    for (at, (table, names)) in scenario.tables.iter().zip(TABLES).enumerate() {
        let is_detail = at == scenario.rules.detail;
        for (number, row) in table.rows.iter().enumerate() {
            let mut rollup = head(scenario, names, row, number + 1, table.rows.len(), is_detail);
            let noise = |at: usize, random: &mut Random| {
                let sigma = scenario.rules.noise * clamp_of(BOUNDED[at].0, WINDOW);
                (random.normal() * sigma as f64).round() as i64
            };
            let value = |at: usize, random: &mut Random| {
                if is_detail { row.raw[at] } else { row.adds[at] + noise(at, random) }
            };
            let mut errors = Map::new();
            for (at, (field, ..)) in BOUNDED.iter().enumerate() {
                let value = value(at, random);
                match field.strip_prefix("errors.") {
                    Some(_) if is_detail && value == 0 => {}
                    Some(class) => drop(errors.insert(class.into(), value.into())),
                    None if field.ends_with("kbps") || *field == "startup_ms" => {
                        rollup[*field] = json!({ "sum": value });
                    }
                    None => rollup[*field] = value.into(),
                }
            }
            rollup["errors"] = errors.into();
            rollups.push(rollup);
        }
    }
    rollups
}

fn head(
    scenario: &Scenario,
    names: &[&str],
    row: &Group,
    number: usize,
    rows: usize,
    is_detail: bool,
) -> Value {
    let Rules { k, margin, noise, .. } = scenario.rules;
    let dimensions: Map<_, _> =
        names.iter().map(ToString::to_string).zip(row.cell_key.iter().cloned().map(Value::from)).collect();
    json!({
        "schema": "crowdfold.rollup/1",
        "tenant": "default",
        "window": {"start": scenario.start, "end": scenario.start + WINDOW},
        "breakdown": names,
        "detail": is_detail,
        "dimensions": dimensions,
        "row": number,
        "rows": rows,
        "sessions": row.sessions,
        "policy": {"name": "threshold", "k": k, "margin": margin, "noise": noise},
    })
}
