//! The error type of this crate.

use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use tokio_rustls::rustls::Error as RustlsError;

/// An error of the collector. Never contains anything of a request or a private key.
#[derive(Debug, Error)]
pub enum CollectorError {
    /// The listening address cannot be bound.
    #[error("collect.listen {address} cannot be bound: {error}; choose another address or port")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// A file cannot be read.
    #[error("{key} {path} cannot be read: {error}")]
    Unreadable {
        /// The configuration key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// A directory, a pipe or a device, which could block or be endless.
    #[error("{key} {path} is not a regular file; set the key to a file in PEM format")]
    NotAFile {
        /// The configuration key.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The file contains no such PEM section.
    #[error("{key} {path} contains no {what} in PEM format")]
    Nothing {
        /// The configuration key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The missing kind of section.
        what: &'static str,
    },
    /// Certificate and key cannot be used.
    #[error("collect.tls.certificate {certificate} and collect.tls.key {key} cannot be used: {error}")]
    Unfit {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// The error of rustls, which contains no secret.
        error: RustlsError,
    },
}
