//! Assertions about the screen Pipeline.

use serde_json::{Value, json};

/// Returns the numbers of beacons in the rows of a table.
fn numbers(rows: &Value) -> Vec<u64> {
    rows.as_array().unwrap().iter().map(|row| row[1].as_u64().unwrap()).collect()
}

/// Checks that the rows of the table of outcomes add up to its sums, and their shares to 100%.
fn assert_table_adds_up(state: &Value) {
    let outcomes = numbers(&state["outcomes"]).into_iter().sum::<u64>();
    assert_eq!(
        outcomes,
        numbers(&state["sums"]).into_iter().sum::<u64>(),
        "the outcomes do not add up: {state}"
    );
    let rows = state["outcomes"].as_array().unwrap();
    let names: Vec<_> = rows.iter().filter_map(|row| row[0].as_str()).collect();
    assert_eq!(
        names,
        ["released", "withheld", "late", "duplicate", "opted out", "excluded", "rejected", "no outcome yet"]
    );
    let shares: f64 = rows.iter().filter_map(|row| row[2].as_f64()).sum();
    assert!((shares - 100.0).abs() < 0.5, "the shares are {shares}: {state}");
}

fn assert_nothing_is_wrong(state: &Value) {
    assert_eq!((&state["violations"], &state["errors"]), (&json!([]), &json!([])), "{state}");
}

/// Checks the texts and tables of the screen in each state of the workers.
pub(super) fn assert_outcomes_are_shown(workers: &Value) {
    let real = &workers["real"];
    assert_table_adds_up(real);
    let read = numbers(&real["sums"])[0];
    assert!(read > 0 && numbers(&real["outcomes"])[0] > read / 2, "most beacons are released: {real}");
    assert_eq!(real["errors"], json!([]));

    let restarted = workers["restarted"].as_array().unwrap();
    assert_eq!(restarted.len(), 4);
    for state in restarted {
        assert_table_adds_up(state);
        assert_eq!(state["sums"], json!([["read", 1_200, 66.7], ["read before a restart", 600, 33.3]]));
        let text = state["before"].as_str().unwrap();
        for part in ["31 s", "no answer from worker-1:9464", "Not balanced", "50 min"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(state["focused"], "Outcomes of beacons", "the update moves the focus");
        assert!(state["overflow"].as_i64().unwrap() <= 0, "the screen is wider than the window: {state}");
        assert_nothing_is_wrong(state);
    }

    let empty = &workers["empty"];
    let text = empty["text"].as_str().unwrap();
    assert!(text.contains("each window as it arrives") && text.contains("1 worker answers"), "{text}");
    assert_nothing_is_wrong(empty);
}
