//! The error type of this crate. A crate that knows the names of the settings in a configuration writes its own message
//! with [`CollectorError::field`] and [`CollectorError::problem`].

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio_rustls::rustls::Error as RustlsError;

/// The field of the settings that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectorField {
    /// [`Settings::listen`](crate::Settings::listen).
    Listen,
    /// [`Files::certificate`](crate::Files::certificate).
    Certificate,
    /// [`Files::key`](crate::Files::key).
    Key,
}

impl Display for CollectorField {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Listen => "the listening address",
            Self::Certificate => "the certificate",
            Self::Key => "the private key",
        })
    }
}

/// An error of the collector. It never contains a part of a request or of a private key.
#[derive(Debug)]
pub enum CollectorError {
    /// The listening address cannot be bound.
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// The file of a certificate or a private key cannot be read.
    Unreadable {
        /// The field with the path.
        field: CollectorField,
        /// The path of the file.
        path: PathBuf,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// The path is a directory, a pipe or a device. Reading a pipe or a device could block, or never end.
    NotAFile {
        /// The field with the path.
        field: CollectorField,
        /// The path of the file.
        path: PathBuf,
    },
    /// The file contains no PEM section of the required kind.
    Nothing {
        /// The field with the path.
        field: CollectorField,
        /// The path of the file.
        path: PathBuf,
        /// The kind of section that is missing, such as "certificate".
        section: &'static str,
    },
    /// The certificate and the private key cannot be used, for example because they do not belong together.
    Unfit {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// The error of the TLS library (rustls), which contains no secret.
        error: RustlsError,
    },
}

impl CollectorError {
    /// Returns the field that must change.
    #[must_use]
    pub const fn field(&self) -> CollectorField {
        match self {
            Self::Listen { .. } => CollectorField::Listen,
            Self::Unreadable { field, .. } | Self::NotAFile { field, .. } | Self::Nothing { field, .. } => {
                *field
            }
            Self::Unfit { .. } => CollectorField::Certificate,
        }
    }

    /// Describes the error and the fix. The field is the subject of the description, but is not part of it.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            Self::Listen { address, error } => {
                format!("{address} cannot be bound: {error}; choose another address or port")
            }
            Self::Unreadable { path, error, .. } => {
                format!("{} cannot be read: {error}; set the path of a readable file", path.display())
            }
            Self::NotAFile { path, .. } => {
                format!("{} is not a regular file; set the path of a file in PEM format", path.display())
            }
            Self::Nothing { path, section, .. } => {
                format!(
                    "{} contains no {section} in PEM format; set the path of a file that contains one",
                    path.display()
                )
            }
            Self::Unfit { certificate, key, error } => format!(
                "{} cannot be used with the private key {}: {error}; set a certificate and the key that belongs to it",
                certificate.display(),
                key.display()
            ),
        }
    }
}

impl Display for CollectorError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.field(), self.problem())
    }
}

impl Error for CollectorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen { error, .. } | Self::Unreadable { error, .. } => Some(error),
            Self::Unfit { error, .. } => Some(error),
            Self::NotAFile { .. } | Self::Nothing { .. } => None,
        }
    }
}
