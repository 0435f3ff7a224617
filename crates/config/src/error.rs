//! The error type of this crate, and the origin of a value.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The defaults of the program, which are in `deploy/default.toml`.
    Default {
        /// The number of the line, from 1.
        line: usize,
    },
    /// The name of the host, which replaces an empty `kafka.instance`.
    Host,
    /// A configuration file.
    File {
        /// The path, as the user wrote it.
        path: Arc<Path>,
        /// The number of the line, from 1.
        line: usize,
    },
    /// The environment variable with this name.
    Environment(String),
    /// The command-line flag with this name, such as `--k`.
    Flag(&'static str),
}

impl Origin {
    /// Returns true if neither a file nor the environment nor a flag has set the value.
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

/// The reason why a configuration cannot be used: the origin, the key, the problem and the fix. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    origin: String,
    key: Option<String>,
    message: String,
}

impl ConfigError {
    /// Creates an error about a key. In the error, `message` follows the key.
    pub(crate) fn new(origin: &Origin, key: &str, message: impl Into<String>) -> Self {
        Self { origin: origin.to_string(), key: Some(key.into()), message: message.into() }
    }

    /// Creates an error about a line of a file.
    pub(crate) fn on_line(origin: &Origin, message: impl Into<String>) -> Self {
        Self { origin: origin.to_string(), key: None, message: message.into() }
    }

    /// Adds a fix to the message, in the form `do …`.
    #[must_use]
    pub(crate) fn with_fix(mut self, fix: &str) -> Self {
        self.message = format!("{}; {fix}", self.message);
        self
    }

    /// Creates an error about a file that cannot be read. `key` is the configuration key that contains the path, if
    /// there is one.
    pub(crate) fn unreadable(path: &Path, key: Option<&str>, error: &io::Error) -> Self {
        let reason = reason(error);
        let message = match key {
            None => format!("cannot be read: {reason}"),
            Some(_) => format!("names this file, which cannot be read: {reason}"),
        };
        Self { origin: path.display().to_string(), key: key.map(Into::into), message }
    }

    /// Returns the key that the error is about, or `None` if it is about a whole file or line.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

/// Describes an error of the file system. Omits the number of the error, because it differs between systems.
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
        write!(f, "{}: ", self.origin)?;
        if let Some(key) = &self.key {
            write!(f, "{key} ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}
