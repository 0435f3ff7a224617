//! Loads a configuration from its sources.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize as _;

use crate::checks;
use crate::deserializer::RootDeserializer;
use crate::error::ConfigError;
use crate::layers::{Layers, Override};
use crate::settings::Settings;
use crate::topics::TopicNames;

const SECRET: &str = "release.privacy.secret_file";

/// The sources of a configuration, in ascending precedence. The program must provide the sources, because this crate
/// reads neither the environment nor the name of the host.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The path of a configuration file.
    pub file: Option<PathBuf>,
    /// All environment variables of the process.
    pub environment: Vec<(OsString, OsString)>,
    /// The settings from command-line flags.
    pub flags: Vec<Override>,
    /// The name of the host, which replaces an empty `kafka.instance`.
    pub host: String,
}

/// Settings that were read and checked, together with the origin of each value.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    layers: Layers,
}

impl Loaded {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// Returns the first error that is found.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut layers = Layers::defaults()?;
        if let Some(path) = &sources.file {
            let text =
                fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, None, &error))?;
            layers.add_file(path, &text)?;
        }
        layers.add_environment(sources.environment.iter().cloned())?;
        layers.add_flags(&sources.flags)?;
        Self::read(layers, &sources.host)
    }

    pub(crate) fn read(mut layers: Layers, host: &str) -> Result<Self, ConfigError> {
        layers.derive_defaults(host);
        let mut settings = Settings::deserialize(RootDeserializer(&mut layers.root))?;
        settings.principals.name_after(&settings.kafka.prefix);
        let loaded = Self { settings, layers };
        checks::check(&loaded)?;
        Ok(loaded)
    }

    /// Creates an error that contains a key and its origin. `message` follows the key, in the form `is …; do …`.
    #[must_use]
    pub fn error(&self, key: &str, message: impl Into<String>) -> ConfigError {
        self.error_at(key, key, message)
    }

    /// Creates an error about a key, if the key `cause` causes the error. The error contains the origin of `cause`.
    #[must_use]
    pub fn error_at(&self, cause: &str, key: &str, message: impl Into<String>) -> ConfigError {
        ConfigError::new(self.layers.origin(cause), key, message)
    }

    /// Returns true if a layer above the defaults sets a key. For a section, returns true if such a layer sets a key in
    /// it.
    #[must_use]
    pub fn is_given(&self, key: &str) -> bool {
        self.layers.is_given(key)
    }

    /// Returns the secret in the file that `release.privacy.secret_file` names.
    ///
    /// # Errors
    /// Returns an error if no file is configured, if it cannot be read, or if it does not contain 64 hexadecimal
    /// digits.
    pub fn read_secret(&self) -> Result<[u8; 32], ConfigError> {
        let Some(path) = &self.settings.release.privacy.secret_file else {
            return Err(self.error(SECRET, "names no file; name one with a secret"));
        };
        let text = fs::read_to_string(path).map_err(|error| {
            ConfigError::unreadable(path, Some(SECRET), &error)
                .with_fix("make it readable for this user, or create it with `openssl rand -hex 32`")
        })?;
        digits(text.trim()).ok_or_else(|| {
            let message =
                "names a file that does not contain 64 hexadecimal digits; create it with `openssl rand -hex 32`";
            self.error(SECRET, message)
        })
    }

    pub(crate) const fn layers(&self) -> &Layers {
        &self.layers
    }
}

impl Settings {
    /// Returns the names of the topics of the deployment.
    #[must_use]
    pub fn topic_names(&self) -> TopicNames {
        TopicNames::of(self)
    }

    /// Returns the maximum length of the time for which a restart reads beacons again. It is the sum of
    /// `windows.length`, `windows.lateness` and `sessions.idle_timeout`.
    #[must_use]
    pub fn replay(&self) -> Duration {
        self.windows.length + self.windows.lateness + self.sessions.idle_timeout
    }
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut secret = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(secret)
}
