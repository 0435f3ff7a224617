//! Configurations, good and bad.

use std::ffi::OsString;
use std::path::Path;

use super::*;

mod defaults;
mod duration;
mod layers;
mod principals;
mod refusals;
mod secrets;
mod tenants;

/// A configuration from the text of a file called `x.toml`.
fn config(text: &str) -> Result<Config, Problem> {
    let mut layers = Layers::defaults()?;
    layers.add_file(Path::new("x.toml"), text)?;
    Config::read(layers, "host-1")
}

/// A configuration from environment variables alone.
fn from_environment(variables: &[(&str, &str)]) -> Result<Config, Problem> {
    let environment = variables.iter().map(|(name, text)| (OsString::from(name), OsString::from(text)));
    Config::load(&Sources { environment: environment.collect(), host: "host-1".into(), ..Sources::default() })
}

#[track_caller]
fn check(text: &str, expect: &str) {
    match config(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(problem) => assert_eq!(problem.to_string(), expect),
    }
}
