//! The error type of this crate.

use std::net::SocketAddr;

/// An error of the console.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The store cannot be opened.
    #[error(
        "the store {path} cannot be opened: {error}; check the free space and the permissions of console.data_dir"
    )]
    Open {
        /// The path of the store.
        path: String,
        /// SQLite's error.
        error: rusqlite::Error,
    },
    /// A newer version of the program wrote the store.
    #[error(
        "the store {path} has version {version} and this program reads up to {known}; use the newer program, or delete \
         the file, which is then filled again from the topics"
    )]
    Newer {
        /// The path of the store.
        path: String,
        /// The version of the store.
        version: i64,
        /// The newest version that this program can read.
        known: i64,
    },
    /// An older version of the program wrote the store.
    #[error(
        "the store {path} has version {version} and this program needs version {known}; delete the file, which is then \
         filled again from the topics"
    )]
    Older {
        /// The path of the store.
        path: String,
        /// The version of the store.
        version: i64,
        /// The version that this program can read.
        known: i64,
    },
    /// Another console uses the store.
    #[error(
        "the store {path} is in use by another console; stop that console, or set another console.data_dir"
    )]
    InUse {
        /// The path of the store.
        path: String,
    },
    /// The store cannot be read or written.
    #[error("the store failed: {0}; check the free space and the permissions of console.data_dir")]
    Store(#[from] rusqlite::Error),
    /// The answer needs more rows than one request may read.
    #[error("the answer needs more than {most} rows of the store; {fix}")]
    TooMany {
        /// The maximum number of rows.
        most: usize,
        /// The changes of the request that reduce the number of rows.
        fix: &'static str,
    },
    /// The server cannot listen on the address.
    #[error("cannot listen at {address}: {error}; set console.listen to a free address")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// The file of a token cannot be read, or does not contain a valid token.
    #[error("console.tokens.{name}.file: {problem}; write a random text of 16 to 256 characters to the file")]
    Token {
        /// The name of the token.
        name: String,
        /// The problem of the file.
        problem: String,
    },
    /// An entry of `console.export` is not valid.
    #[error("console.export contains \"{entry}\"; {fix}")]
    Export {
        /// The entry that is not valid.
        entry: String,
        /// The fix.
        fix: String,
    },
}

impl From<rusqlite::types::FromSqlError> for ConsoleError {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::Store(error.into())
    }
}
