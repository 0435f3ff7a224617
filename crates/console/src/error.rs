//! The error type of this crate. A crate that knows the names of the settings in a configuration writes its own message
//! with [`ConsoleError::field`] and [`ConsoleError::problem`].

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;

/// The field of the settings that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleField<'a> {
    /// [`Settings::data_dir`](crate::Settings::data_dir).
    Directory,
    /// [`Settings::listen`](crate::Settings::listen).
    Listen,
    /// The file of the token with this name ([`Settings::tokens`](crate::Settings::tokens)).
    Token(&'a str),
    /// [`Settings::export`](crate::Settings::export).
    Export,
}

impl Display for ConsoleField<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => out.write_str("the directory of the store"),
            Self::Listen => out.write_str("the listening address"),
            Self::Token(name) => write!(out, "the token {name}"),
            Self::Export => out.write_str("the exported tables"),
        }
    }
}

/// An error of the console.
#[derive(Debug)]
pub enum ConsoleError {
    /// The store cannot be opened.
    Open {
        /// The path of the store.
        path: String,
        /// SQLite's error.
        error: rusqlite::Error,
    },
    /// A newer version of the program wrote the store.
    Newer {
        /// The path of the store.
        path: String,
        /// The version of the store.
        version: i64,
        /// The newest version that this program can read.
        known: i64,
    },
    /// An older version of the program wrote the store.
    Older {
        /// The path of the store.
        path: String,
        /// The version of the store.
        version: i64,
        /// The version that this program can read.
        known: i64,
    },
    /// Another console uses the store.
    InUse {
        /// The path of the store.
        path: String,
    },
    /// The store cannot be read or written.
    Store(rusqlite::Error),
    /// The answer needs more rows than one request may read.
    TooMany {
        /// The maximum number of rows.
        most: usize,
        /// The changes of the request that reduce the number of rows.
        fix: &'static str,
    },
    /// The server cannot listen on the address.
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// The file of a token cannot be read, or does not contain a valid token.
    Token {
        /// The name of the token.
        name: String,
        /// The problem of the file.
        problem: String,
    },
    /// An entry of the exported tables is not valid.
    Export {
        /// The entry that is not valid.
        entry: String,
        /// The fix.
        fix: String,
    },
}

impl ConsoleError {
    /// Returns the field whose change can fix the error, if there is one.
    #[must_use]
    pub fn field(&self) -> Option<ConsoleField<'_>> {
        match self {
            Self::Open { .. } | Self::InUse { .. } | Self::Store(_) => Some(ConsoleField::Directory),
            Self::Listen { .. } => Some(ConsoleField::Listen),
            Self::Token { name, .. } => Some(ConsoleField::Token(name)),
            Self::Export { .. } => Some(ConsoleField::Export),
            Self::Newer { .. } | Self::Older { .. } | Self::TooMany { .. } => None,
        }
    }

    /// Describes the error and the fix, without the name of the field.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            Self::Open { path, error } => format!(
                "the store {path} cannot be opened: {error}; check the free space and the permissions of its directory"
            ),
            Self::Newer { path, version, known } => format!(
                "the store {path} has version {version} and this program reads up to {known}; use the newer program, \
                 or delete the file, which is then filled again from the topics"
            ),
            Self::Older { path, version, known } => format!(
                "the store {path} has version {version} and this program needs version {known}; delete the file, which \
                 is then filled again from the topics"
            ),
            Self::InUse { path } => format!(
                "the store {path} is in use by another console; stop that console, or set another directory"
            ),
            Self::Store(error) => format!(
                "the store failed: {error}; check the free space and the permissions of its directory"
            ),
            Self::TooMany { most, fix } => {
                format!("the answer needs more than {most} rows of the store; {fix}")
            }
            Self::Listen { address, error } => {
                format!("cannot listen at {address}: {error}; set a free address")
            }
            Self::Token { problem, .. } => {
                format!("{problem}; write a random text of 16 to 256 characters to the file")
            }
            Self::Export { entry, fix } => format!("the entry \"{entry}\" is not valid; {fix}"),
        }
    }
}

impl Display for ConsoleError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self.field() {
            Some(field) => write!(out, "{field}: {}", self.problem()),
            None => out.write_str(&self.problem()),
        }
    }
}

impl Error for ConsoleError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Open { error, .. } | Self::Store(error) => Some(error),
            Self::Listen { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for ConsoleError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::types::FromSqlError> for ConsoleError {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::Store(error.into())
    }
}
