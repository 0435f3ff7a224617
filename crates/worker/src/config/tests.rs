//! Configurations that other crates accept and refuse.

use std::ffi::OsString;

use crowdfold_config::{ConfigError, Sources};

use super::Config;

mod defaults;
mod names;
mod policies;
mod principals;
mod secrets;

/// Reads a file with this text. Errors call it `x.toml`.
fn config(text: &str) -> Result<Config, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("x.toml");
    std::fs::write(&path, text).expect("written");
    let sources = Sources { file: Some(path.clone()), host: "host-1".into(), ..Sources::default() };
    let name = path.display().to_string();
    Config::load(&sources).map_err(|error| error.to_string().replace(&name, "x.toml"))
}

/// Reads environment variables.
fn from_environment(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment = variables.iter().map(|(name, text)| (OsString::from(name), OsString::from(text)));
    Config::load(&Sources { environment: environment.collect(), host: "host-1".into(), ..Sources::default() })
}

/// Checks the error for a file `x.toml`.
#[track_caller]
fn check(text: &str, expect: &str) {
    match config(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(message) => assert_eq!(message, expect),
    }
}
