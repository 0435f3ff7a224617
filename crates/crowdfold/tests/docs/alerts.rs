//! Tests of the rules for Prometheus and of the dashboards. Each alert must be described and tested, and each metric
//! must exist.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

use crate::pages::{Page, files, page};

/// The page that describes the metrics of the processes, and the alerts.
const OPERATIONS: &str = "docs/operations.md";

/// The prefix of the gauges of rollups, which are the columns of a query.
const ROLLUP: &str = "crowdfold_rollup_";

/// The endings of the names of the series that belong to one histogram.
const SERIES: [&str; 3] = ["_bucket", "_count", "_sum"];

/// One rule of a file in `deploy/prometheus`.
struct Rule {
    path: String,
    rule: Value,
}

impl Rule {
    fn text(&self, key: &str) -> &str {
        self.rule[key].as_str().unwrap_or_default()
    }

    fn annotation(&self, key: &str) -> &str {
        self.rule["annotations"][key].as_str().unwrap_or_default()
    }

    fn is_alert(&self) -> bool {
        !self.text("alert").is_empty()
    }
}

fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    let is_rules =
        |file: &Page| file.path.starts_with("deploy/prometheus/") && !file.path.contains("/tests/");
    for file in files(|name| name.ends_with(".yaml")).into_iter().filter(is_rules) {
        let content: Value = serde_yaml_ng::from_str(&file.text).expect("YAML");
        let groups = content["groups"].as_sequence().expect("groups");
        for rule in groups.iter().flat_map(|group| group["rules"].as_sequence().expect("rules")) {
            rules.push(Rule { path: file.path.clone(), rule: rule.clone() });
        }
    }
    assert!(rules.len() > 40, "deploy/prometheus has only {} rules", rules.len());
    rules
}

/// Returns the expressions of the dashboards, each with the path of its file.
fn queries() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for file in files(|name| name.ends_with(".json")) {
        if file.path.starts_with("deploy/grafana/") {
            let dashboard: Value = serde_yaml_ng::from_str(&file.text).expect("JSON");
            let mut open = vec![&dashboard];
            while let Some(node) = open.pop() {
                open.extend(node.as_sequence().into_iter().flatten());
                open.extend(node.as_mapping().into_iter().flatten().map(|(_, value)| value));
                queries.extend(
                    node.get("expr").and_then(Value::as_str).map(|expr| (file.path.clone(), expr.into())),
                );
            }
        }
    }
    assert!(queries.len() > 40, "deploy/grafana has only {} queries", queries.len());
    queries
}

/// Returns the names of metrics and of recorded series in an expression, such as `crowdfold_x_total` and
/// `crowdfold:x:rate5m`.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    // A name inside a string is the value of a label and not a metric.
    let code = expression.split('"').step_by(2);
    code.flat_map(move |code| code.split(move |c| !is_name(c)))
        .filter(|name| name.starts_with("crowdfold_") || name.starts_with("crowdfold:"))
}

/// Returns the metrics for which the programs have a description.
fn described() -> BTreeSet<String> {
    let mut described = BTreeSet::new();
    for file in files(|name| name.ends_with(".rs")).iter().filter(|file| file.path.contains("/src/")) {
        for call in ["describe_counter!(", "describe_gauge!(", "describe_histogram!("] {
            let calls = file.text.split(call).skip(1);
            let names = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            described.extend(names.map(str::to_owned));
        }
    }
    described
}

/// Returns the inline code in the first column of the tables of a page.
fn first_column(page: &Page) -> impl Iterator<Item = &str> {
    let cells = page.text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2))
}

/// Returns the metrics that docs/operations.md lists.
fn listed() -> BTreeSet<String> {
    let page = page(OPERATIONS);
    let codes = first_column(&page).filter_map(|code| code.split('{').next());
    codes.filter(|name| name.starts_with("crowdfold_")).map(str::to_owned).collect()
}

/// Returns the gauges of rollups: the sessions, and the columns of a query.
fn rollup_gauges() -> BTreeSet<String> {
    let mut text = page("docs/reference/metrics.md").text;
    let columns = text.split_off(text.find("## Columns of a query").expect("the section"));
    let page = Page { path: String::new(), text: columns };
    first_column(&page).map(|column| format!("{ROLLUP}{column}")).collect()
}

/// Returns the metric of a series. If the name of the series has one of the endings in [`SERIES`], this is the
/// histogram.
fn metric<'a>(known: &BTreeSet<String>, series: &'a str) -> &'a str {
    let of_histogram = SERIES.iter().filter_map(|end| series.strip_suffix(end));
    of_histogram.into_iter().find(|name| known.contains(*name)).unwrap_or(series)
}

#[test]
fn every_metric_is_listed_and_every_listed_metric_exists() {
    assert_eq!(listed(), described(), "the tables of {OPERATIONS} and the metrics of the programs differ");
}

#[test]
fn every_metric_in_a_rule_or_dashboard_exists() {
    let rules = rules();
    let mut known = described();
    known.extend(rollup_gauges());
    known.extend(rules.iter().map(|rule| rule.text("record").to_owned()));
    let mut complaints = Vec::new();
    let expressions = rules.iter().map(|rule| (rule.path.clone(), rule.text("expr").to_owned()));
    for (path, expression) in expressions.chain(queries()) {
        for name in names(&expression).filter(|name| !known.contains(metric(&known, name))) {
            complaints.push(format!("{path}: there is no metric {name}"));
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn every_alert_is_described_and_every_description_has_an_alert() {
    let page = page(OPERATIONS);
    let sections = page.text.split("\n#### ").skip(1);
    let described: BTreeSet<_> = sections
        .filter_map(|section| section.split_once("\n\n"))
        .filter(|(_, text)| !text.trim().is_empty() && !text.starts_with('#'))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.starts_with("Crowdfold"))
        .collect();
    let rules = rules();
    let alerts = rules.iter().filter(|rule| rule.is_alert());
    let alerts: BTreeSet<_> = alerts.map(|rule| rule.text("alert").to_owned()).collect();
    assert_eq!(described, alerts, "the headings of {OPERATIONS} and the alerts differ");
}

#[test]
fn every_alert_has_a_severity_and_texts_and_a_test() {
    let is_test = |file: &Page| file.path.starts_with("deploy/prometheus/tests/");
    let tests: Vec<_> = files(|name| name.ends_with("_test.yaml")).into_iter().filter(is_test).collect();
    let mut complaints = Vec::new();
    for rule in rules().iter().filter(|rule| rule.is_alert()) {
        let name = rule.text("alert");
        let mut complain = |complaint: &str| complaints.push(format!("{}: {name} {complaint}", rule.path));
        if !["critical", "warning"].contains(&rule.rule["labels"]["severity"].as_str().unwrap_or_default()) {
            complain("has neither the severity critical nor warning");
        }
        for text in ["summary", "description"] {
            if rule.annotation(text).is_empty() {
                complain(&format!("has no {text}"));
            }
        }
        if rule.annotation("runbook") != format!("{OPERATIONS}#{}", name.to_lowercase()) {
            complain("does not name its section as runbook");
        }
        // A test contains the name of the alert before a quotation mark, because the name is the value of a label.
        if !tests.iter().any(|test| test.text.contains(&format!("\"{name}\""))) {
            complain("has no test in which it fires");
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn names_and_series_are_found_in_expressions() {
    let expression = "sum(rate(crowdfold_a_bucket{job=\"crowdfold_b\"}[5m])) / crowdfold:c:d > on (x) up";
    assert_eq!(names(expression).collect::<Vec<_>>(), ["crowdfold_a_bucket", "crowdfold:c:d"]);
    let known = ["crowdfold_a".to_owned()].into();
    assert_eq!(metric(&known, "crowdfold_a_bucket"), "crowdfold_a");
    assert_eq!(metric(&known, "crowdfold_e_count"), "crowdfold_e_count");
}
