//! Tests of configurations that are accepted or refused.

use std::ffi::OsString;
use std::path::Path;

use crate::layers::Layers;
use crate::{ConfigError, Loaded, Sources};

mod defaults;
mod keys;
mod layers;
mod principals;
mod rules;
mod secrets;
mod tenants;
mod values;

/// Loads a configuration file `x.toml` with this content.
fn load(text: &str) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::defaults()?;
    layers.add_file(Path::new("x.toml"), text)?;
    Loaded::read(layers, "host-1")
}

/// Loads a configuration from environment variables.
fn load_environment(variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let environment = variables.iter().map(|(name, text)| (OsString::from(name), OsString::from(text)));
    Loaded::load(&Sources { environment: environment.collect(), host: "host-1".into(), ..Sources::default() })
}
/// Asserts that a configuration file with this content is refused with this message.
#[track_caller]
fn check(text: &str, expect: &str) {
    match load(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => assert_eq!(error.to_string(), expect),
    }
}
