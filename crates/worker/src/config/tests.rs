//! Tests of configurations that require checks of other crates.

use std::ffi::OsString;

use crowdfold_config::{ConfigError, Sources};

use super::Config;

mod defaults;
mod dimensions;
mod messages;
mod names;
mod policies;
mod principals;
mod secrets;

/// Loads a configuration file with this content. In error messages, the name of the file is `x.toml`.
fn config(text: &str) -> Result<Config, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("x.toml");
    std::fs::write(&path, text).expect("written");
    let sources = Sources { file: Some(path.clone()), host: "host-1".into(), ..Sources::default() };
    let name = path.display().to_string();
    Config::load(&sources).map_err(|error| error.to_string().replace(&name, "x.toml"))
}

/// Loads a configuration from environment variables.
fn from_environment(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment = variables.iter().map(|(name, text)| (OsString::from(name), OsString::from(text)));
    Config::load(&Sources { environment: environment.collect(), host: "host-1".into(), ..Sources::default() })
}

/// Asserts that a configuration file with this content is refused with this message.
#[track_caller]
fn check(text: &str, expect: &str) {
    match config(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(message) => assert_eq!(message, expect),
    }
}
