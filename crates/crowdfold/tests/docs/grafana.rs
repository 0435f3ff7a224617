//! Tests the guide for Grafana against the files in `deploy/grafana`.

use serde_yaml_ng::Value;

use crate::pages::{files, page};

const GUIDE: &str = "docs/guides/grafana.md";

/// Returns the dashboards, each with the name of its file.
fn dashboards() -> Vec<(String, Value)> {
    let dashboards = files(|name| name.ends_with(".json")).into_iter().filter_map(|file| {
        let name = file.path.strip_prefix("deploy/grafana/")?.to_owned();
        Some((name, serde_yaml_ng::from_str(&file.text).expect("JSON")))
    });
    dashboards.collect()
}

#[test]
fn guide_for_grafana_lists_each_dashboard_with_its_uid() {
    let guide = page(GUIDE).text;
    let dashboards = dashboards();
    assert_eq!(dashboards.len(), 2);
    for (name, dashboard) in dashboards {
        let uid = dashboard["uid"].as_str().expect("a uid");
        let row = format!("| [{name}](../../deploy/grafana/{name}) | `{uid}` |");
        assert!(guide.contains(&row), "{GUIDE} lacks {row}");
        // an imported dashboard asks for the data source in a variable, so it works with any name
        let variable = &dashboard["templating"]["list"][0];
        assert_eq!(variable["type"], "datasource", "{name}");
        assert_eq!(variable["query"], "prometheus", "{name}");
    }
}

#[test]
fn files_for_provisioning_load_the_data_source_and_the_dashboards() {
    let guide = page(GUIDE).text;
    let yaml = |path: &str| -> Value {
        assert!(guide.contains(path), "{GUIDE} lacks {path}");
        serde_yaml_ng::from_str(&page(path).text).expect("YAML")
    };
    let source = yaml("deploy/grafana/provisioning/datasources/prometheus.yaml");
    assert_eq!(source["datasources"][0]["type"], "prometheus");
    let provider = yaml("deploy/grafana/provisioning/dashboards/crowdfold.yaml");
    let folder = provider["providers"][0]["options"]["path"].as_str().expect("a folder");
    assert!(guide.contains(&format!("`{folder}/`")), "{GUIDE} lacks {folder}");
}

#[test]
fn export_in_the_guide_for_grafana_contains_each_gauge_that_the_dashboards_need() {
    let guide = page(GUIDE).text;
    let export = guide.lines().find(|line| line.starts_with("export = ")).expect("an export");
    for (name, dashboard) in dashboards() {
        let text = serde_yaml_ng::to_string(&dashboard).expect("YAML");
        for part in text.split("crowdfold:").skip(1) {
            let (record, kind) = part.split_once(':').expect("a recording rule");
            let is_metric = kind.starts_with("baseline") || kind.starts_with("last");
            // the number of sessions is always exported
            if is_metric && !["sessions", "tenant_sessions"].contains(&record) {
                assert!(export.contains(record), "{name} needs {record}");
            }
        }
    }
    assert!(page("docs/operations.md").text.contains(export.trim_start_matches("export = ")));
}
