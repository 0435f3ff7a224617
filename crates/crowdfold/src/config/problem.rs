//! What is wrong with a configuration, and where it says so.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The defaults the program carries, `deploy/default.toml`.
    Default {
        /// Line, from 1.
        line: usize,
    },
    /// A configuration file.
    File {
        /// As it was named.
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
    /// Whether nobody but the defaults gave the value.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self, Self::Default { .. })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default { line } => write!(f, "default.toml:{line}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A configuration that cannot be run with: one sentence that names the location, the key, what was found and what
/// would do. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    location: String,
    key: Option<String>,
    what: String,
}

impl Problem {
    /// Something about one key.
    pub(super) fn at(origin: &Origin, key: &str, what: impl Into<String>) -> Self {
        Self { location: origin.to_string(), key: Some(key.into()), what: what.into() }
    }

    /// Something about a line as a whole.
    pub(super) fn on(origin: &Origin, what: impl Into<String>) -> Self {
        Self { location: origin.to_string(), key: None, what: what.into() }
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(path: &Path, key: Option<&str>, error: &std::io::Error) -> Self {
        let location = PathBuf::from(path).display().to_string();
        Self { location, key: key.map(Into::into), what: format!("cannot be read: {}", error.kind()) }
    }

    /// The key it is about.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.location)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {}
