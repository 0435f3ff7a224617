//! What all airlocks of a process share.

use ahash::RandomState;
use crowdfold_beacon::{Fields, FieldsError};
use hashbrown::{HashMap, HashSet};
use thiserror::Error;

use crate::{Settings, TagKey, Tenant};

/// Why no airlock can be made of these settings.
#[derive(Debug, Error)]
pub enum AirlockError {
    /// `[source.fields]` cannot be followed.
    #[error(transparent)]
    Fields(#[from] FieldsError),
    /// No tenant, or more than can be told apart.
    #[error("tenants.names has {0} names: give between 1 and 65,535")]
    Tenants(usize),
    /// The default tenant is not in the catalogue.
    #[error("tenants.default is not among tenants.names: add it, or name one that is")]
    DefaultTenant,
}

/// What is built once and shared by all airlocks of a process: settings made ready, and the key of the tags.
pub struct Shared {
    pub(crate) settings: Settings,
    pub(crate) key: TagKey,
    pub(crate) fields: Fields,
    pub(crate) default_tenant: Tenant,
    tenants: HashMap<Box<str>, Tenant, RandomState>,
    child_directed: Vec<bool>,
    child_content: HashSet<Box<str>, RandomState>,
}

impl Shared {
    /// Makes settings ready.
    ///
    /// # Errors
    /// If the settings contradict themselves.
    pub fn new(settings: Settings, key: TagKey) -> Result<Self, AirlockError> {
        let count = settings.tenants.len();
        if count == 0 || count > usize::from(u16::MAX) {
            return Err(AirlockError::Tenants(count));
        }
        if settings.default_tenant >= count {
            return Err(AirlockError::DefaultTenant);
        }
        let index = |index: usize| Tenant(index as u16);
        let named = settings.tenants.iter().enumerate().map(|(at, name)| (name.as_str().into(), index(at)));
        let child = |name| settings.child_directed_tenants.contains(name);
        Ok(Self {
            key,
            fields: Fields::new(&settings.fields)?,
            default_tenant: index(settings.default_tenant),
            tenants: named.collect(),
            child_directed: settings.tenants.iter().map(child).collect(),
            child_content: settings.child_directed_content.iter().map(|id| id.as_str().into()).collect(),
            settings,
        })
    }

    /// The settings they were made from.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A tenant by its name; the default one where there is none, nothing where it is not in the catalogue.
    pub(crate) fn tenant(&self, name: Option<&str>) -> Option<Tenant> {
        match name {
            None | Some("") => Some(self.default_tenant),
            Some(name) => self.tenants.get(name).copied(),
        }
    }

    /// Whether a tenant, or a content by its raw id, is never counted.
    pub(crate) fn is_child_directed(&self, tenant: Tenant, content: Option<&str>) -> bool {
        let listed = |content: &str| !self.child_content.is_empty() && self.child_content.contains(content);
        self.child_directed[usize::from(tenant.0)] || content.is_some_and(listed)
    }
}
