//! Tests the services of the compose file.

use std::process::Command;

use serde_yaml_ng::Value;

use crate::pages::page;

/// Returns a service of the compose file.
fn service(name: &str) -> Value {
    let mut compose: Value = serde_yaml_ng::from_str(&page("deploy/compose.yaml").text).expect("YAML");
    compose.apply_merge().expect("merge keys");
    let service = compose["services"][name].clone();
    assert!(service.is_mapping(), "there is no service {name}");
    service
}

/// Returns the texts of a list in a service.
fn texts(service: &Value, key: &str) -> Vec<String> {
    let list = service[key].as_sequence().expect("a list");
    list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// Returns the environment variables of a service.
fn environment(service: &Value) -> Vec<(String, String)> {
    let variables = service["environment"].as_mapping().expect("variables");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    variables.iter().map(|(name, value)| (text(name), text(value))).collect()
}

#[test]
fn settings_of_the_services_in_the_compose_file_are_valid() {
    for name in ["topics", "worker", "collector", "console"] {
        let directory = tempfile::tempdir().expect("a directory");
        let secret = directory.path().join("secret");
        std::fs::write(&secret, "0123456789abcdef".repeat(4)).expect("a file");
        // the files of secrets are on volumes of the deployment
        let in_place = |(name, value): (String, String)| {
            let value = if name.ends_with("FILE") { secret.display().to_string() } else { value };
            (name, value)
        };
        let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
            .arg("check")
            .env_clear()
            .envs(environment(&service(name)).into_iter().map(in_place))
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn console_in_the_compose_file_has_a_port_on_loopback_and_a_token_and_a_store_on_volumes() {
    let console = service("console");
    let variables = environment(&console);
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("{name} is missing"))
    };
    let port = variable("CROWDFOLD_CONSOLE__LISTEN").rsplit(':').next().expect("a port");
    assert_eq!(texts(&console, "ports"), [format!("127.0.0.1:{port}:{port}")]);
    assert_eq!(texts(&console["healthcheck"], "test"), ["CMD", "healthy", port]);
    let token = variable("CROWDFOLD_CONSOLE__TOKENS__LOCAL__FILE");
    let volumes = texts(&console, "volumes");
    for path in [token, variable("CROWDFOLD_CONSOLE__DATA_DIR")] {
        let is_in = |volume: &&String| {
            volume.split(':').nth(1).is_some_and(|folder| std::path::Path::new(path).starts_with(folder))
        };
        let volume = volumes.iter().find(is_in).unwrap_or_else(|| panic!("{path} is not on a volume"));
        // the service that prepares the volumes has the same ones
        let of_setup = texts(&service("console-setup"), "volumes");
        assert!(of_setup.iter().any(|one| volume.starts_with(one.as_str())), "{volume}: {of_setup:?}");
    }
    for path in ["deploy/compose.yaml", "docs/quickstart.md"] {
        let text = page(path).text;
        assert!(text.contains(&format!("http://127.0.0.1:{port}")), "{path}");
        assert!(text.contains(&format!("exec console cat {token}")), "{path}");
    }
}
