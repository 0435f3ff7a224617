//! Errors of the console.

use std::net::SocketAddr;

/// An error of the console.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The store cannot be opened.
    #[error("the store {path} cannot be opened: {error}; check console.data_dir")]
    Open {
        /// The file.
        path: String,
        /// The error of SQLite.
        error: rusqlite::Error,
    },
    /// The store was written by a newer version.
    #[error(
        "the store {path} has version {version} and this program reads up to {known}; use the newer program, or delete \
         the file, which is then filled again from the topics"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its version.
        version: i64,
        /// The newest version that this program reads.
        known: i64,
    },
    /// The store cannot be read or written.
    #[error("the store failed: {0}; check the free space and the permissions of console.data_dir")]
    Store(#[from] rusqlite::Error),
    /// The address cannot be used.
    #[error("cannot listen at {address}: {error}; set console.listen to a free address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// A file with a token cannot be used.
    #[error("console.tokens.{name}.file: {problem}; write a random text of 16 to 256 characters to the file")]
    Token {
        /// The name of the token.
        name: String,
        /// The fault.
        problem: String,
    },
    /// An entry of `console.export` is invalid.
    #[error("console.export contains \"{entry}\"; {fix}")]
    Export {
        /// The entry.
        entry: String,
        /// The fix.
        fix: String,
    },
}
