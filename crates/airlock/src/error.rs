//! The error type of this crate. A crate that knows the names of the settings in a configuration writes its own message
//! with [`AirlockError::field`] and [`AirlockError::problem`].

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use crowdfold_beacon::FieldsError;
use maxminddb::MaxMindDbError;

/// The field of the settings that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AirlockField {
    /// [`Settings::tenants`](crate::Settings::tenants).
    Tenants,
    /// [`Settings::default_tenant`](crate::Settings::default_tenant).
    DefaultTenant,
    /// [`Settings::country_mmdb`](crate::Settings::country_mmdb).
    CountryDatabase,
    /// [`Settings::asn_mmdb`](crate::Settings::asn_mmdb).
    AsnDatabase,
}

impl Display for AirlockField {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Tenants => "the list of tenants",
            Self::DefaultTenant => "the default tenant",
            Self::CountryDatabase => "the database of countries",
            Self::AsnDatabase => "the database of autonomous systems",
        })
    }
}

/// The error for settings with which no airlock can be created.
#[derive(Debug)]
pub enum AirlockError {
    /// The name or the path of a field of beacons or logs is invalid.
    Fields(FieldsError),
    /// The number of tenants is 0 or too large.
    Tenants(usize),
    /// The default tenant is not one of the tenants.
    DefaultTenant,
    /// A database of countries or autonomous systems cannot be read.
    Database {
        /// The field with the path.
        field: AirlockField,
        /// The path of the database.
        path: PathBuf,
        /// The reason why the database cannot be read.
        source: MaxMindDbError,
    },
}

impl AirlockError {
    /// Returns the field that must change, or the error of the names of fields.
    ///
    /// # Errors
    /// Returns the [`FieldsError`], which has fields of its own.
    pub const fn field(&self) -> Result<AirlockField, &FieldsError> {
        match self {
            Self::Fields(error) => Err(error),
            Self::Tenants(_) => Ok(AirlockField::Tenants),
            Self::DefaultTenant => Ok(AirlockField::DefaultTenant),
            Self::Database { field, .. } => Ok(*field),
        }
    }

    /// Describes the error and the fix. The field is the subject of the description, but is not part of it.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            Self::Fields(error) => error.problem(),
            Self::Tenants(count) => format!("has {count} names; list at least 1 and at most 65,535"),
            Self::DefaultTenant => "is not in the list of tenants; add it, or set another tenant".into(),
            Self::Database { path, source, .. } => format!(
                "{} is not a readable MMDB ({source}); set the path of a valid file, or none to disable the lookup",
                path.display()
            ),
        }
    }
}

impl Display for AirlockError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self.field() {
            Ok(field) => write!(out, "{field} {}", self.problem()),
            Err(error) => error.fmt(out),
        }
    }
}

impl Error for AirlockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Fields(error) => Some(error),
            Self::Database { source, .. } => Some(source),
            Self::Tenants(_) | Self::DefaultTenant => None,
        }
    }
}

impl From<FieldsError> for AirlockError {
    fn from(error: FieldsError) -> Self {
        Self::Fields(error)
    }
}
