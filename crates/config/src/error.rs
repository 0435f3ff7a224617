//! The error of this crate, and the origin of a value.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The place at which a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The defaults in the program, `deploy/default.toml`.
    Default {
        /// Line, from 1.
        line: usize,
    },
    /// The name of the host, which replaces an empty `kafka.instance`.
    Host,
    /// A configuration file.
    File {
        /// The path, as given.
        path: Arc<Path>,
        /// Line, from 1.
        line: usize,
    },
    /// An environment variable, by name.
    Environment(String),
    /// A flag of the command line, such as `--k`.
    Flag(&'static str),
}

impl Origin {
    /// Returns true for a value that neither file nor environment nor flags gave.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self, Self::Default { .. } | Self::Host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default { line } => write!(f, "default.toml:{line}"),
            Self::Host => f.write_str("the host's name"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// The reason why a configuration cannot be used: the place, the key, the fault and the fix. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    place: String,
    key: Option<String>,
    message: String,
}

impl ConfigError {
    /// An error about a key; the message continues after the key.
    pub(crate) fn new(origin: &Origin, key: &str, message: impl Into<String>) -> Self {
        Self { place: origin.to_string(), key: Some(key.into()), message: message.into() }
    }

    /// An error about a line.
    pub(crate) fn on_line(origin: &Origin, message: impl Into<String>) -> Self {
        Self { place: origin.to_string(), key: None, message: message.into() }
    }

    /// An error about a file that cannot be read, and the key that names it.
    pub(crate) fn unreadable(path: &Path, key: Option<&str>, error: &io::Error) -> Self {
        let reason = reason(error);
        let message = match key {
            None => format!("cannot be read: {reason}"),
            Some(_) => format!("names this file, which cannot be read: {reason}"),
        };
        Self { place: path.display().to_string(), key: key.map(Into::into), message }
    }

    /// Returns the key that the error is about.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

/// Describes an error of the file system without its number, which differs between systems.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "this user may not read it".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        io::ErrorKind::InvalidData => "it is not UTF-8".into(),
        kind => kind.to_string(),
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(key) = &self.key {
            write!(f, "{key} ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}
