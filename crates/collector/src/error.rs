//! The error type of this crate.

use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use tokio_rustls::rustls::Error as RustlsError;

/// An error of the collector. It never contains a part of a request or of a private key.
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
    /// The file of a certificate or a private key cannot be read.
    #[error("{key} {path} cannot be read: {error}")]
    Unreadable {
        /// The configuration key.
        key: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// The path is a directory, a pipe or a device. Reading a pipe or a device could block, or never end.
    #[error("{key} {path} is not a regular file; set the key to a file in PEM format")]
    NotAFile {
        /// The configuration key.
        key: &'static str,
        /// The path of the file.
        path: PathBuf,
    },
    /// The file contains no PEM section of the required kind.
    #[error("{key} {path} contains no {what} in PEM format")]
    Nothing {
        /// The configuration key.
        key: &'static str,
        /// The path of the file.
        path: PathBuf,
        /// The kind of section that is missing, such as "certificate".
        what: &'static str,
    },
    /// The certificate and the private key cannot be used, for example because they do not belong together.
    #[error("collect.tls.certificate {certificate} and collect.tls.key {key} cannot be used: {error}")]
    Unfit {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// The error of the TLS library (rustls), which contains no secret.
        error: RustlsError,
    },
}
