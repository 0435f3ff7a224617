//! The state that all airlocks of a process share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ahash::RandomState;
use crowdfold_beacon::{Fields, LogFields};
use crowdfold_model::Dimension;
use crowdfold_scan::Scanner;
use hashbrown::{HashMap, HashSet};

use crate::address::Databases;
use crate::client::UserAgents;
use crate::{AirlockError, SessionHasher, Settings, Tenant};

/// The maximum number of tenants for which a name is compared with each tenant. If there are more tenants, a hash map
/// is used.
const FEW_TENANTS: usize = 4;

/// The state that all airlocks of a process share: prepared settings, databases, caches, and the session hasher.
pub struct Shared {
    pub(crate) settings: Settings,
    pub(crate) hasher: SessionHasher,
    pub(crate) fields: Arc<Fields>,
    pub(crate) log: Arc<LogFields>,
    pub(crate) default_tenant: Tenant,
    pub(crate) agents: UserAgents,
    pub(crate) scanner: Arc<Scanner>,
    databases: RwLock<Arc<Databases>>,
    loaded: AtomicU64,
    tenants: HashMap<Box<str>, Tenant, RandomState>,
    /// The custom dimensions of each tenant.
    custom: Vec<Vec<Dimension>>,
    child_directed: Vec<bool>,
    child_content: HashSet<Box<str>, RandomState>,
}

impl Shared {
    /// Prepares the settings for all airlocks, and opens the databases.
    ///
    /// # Errors
    /// Returns an error if the settings contradict each other, or if a database cannot be read.
    pub fn new(settings: Settings, hasher: SessionHasher) -> Result<Self, AirlockError> {
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
            hasher,
            agents: UserAgents::default(),
            scanner: Arc::new(Scanner::new(&settings.known)),
            databases: RwLock::new(Arc::new(Databases::open(&settings)?)),
            loaded: AtomicU64::new(0),
            fields: Arc::new(Fields::with_custom(&settings.fields, &settings.custom_sources)?),
            log: Arc::new(LogFields::with_custom(&settings.log, &settings.custom_sources)?),
            custom: settings.tenants.iter().map(|tenant| settings.custom.of(tenant).to_vec()).collect(),
            default_tenant: index(settings.default_tenant),
            tenants: named.collect(),
            child_directed: settings.tenants.iter().map(child).collect(),
            child_content: settings.child_directed_content.iter().map(|id| id.as_str().into()).collect(),
            settings,
        })
    }

    /// Reads the databases again. Every airlock uses the new databases from its next record on. The caller decides when
    /// to call this method, for example after a file has changed.
    ///
    /// # Errors
    /// Returns an error if a database cannot be read. The previous databases then remain in use.
    pub fn reload(&self) -> Result<(), AirlockError> {
        let fresh = Arc::new(Databases::open(&self.settings)?);
        *self.databases.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.loaded.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Returns the number of times that the databases were reloaded.
    pub(crate) fn loaded(&self) -> u64 {
        self.loaded.load(Ordering::Acquire)
    }

    pub(crate) fn databases(&self) -> Arc<Databases> {
        Arc::clone(&self.databases.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the settings with which the state was created.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the tenant with this name. If `name` is `None`, returns the default tenant. Returns `None` if no tenant
    /// has the name.
    pub(crate) fn tenant(&self, name: Option<&str>) -> Option<Tenant> {
        match name {
            None | Some("") => Some(self.default_tenant),
            // If there are few names, comparing with each of them is faster than hashing.
            Some(name) if self.settings.tenants.len() <= FEW_TENANTS => {
                let known = self.settings.tenants.iter().rposition(|known| known == name);
                known.map(|index| Tenant(index as u16))
            }
            Some(name) => self.tenants.get(name).copied(),
        }
    }

    /// Returns the custom dimensions of a tenant.
    pub(crate) fn custom_of(&self, tenant: Tenant) -> &[Dimension] {
        &self.custom[usize::from(tenant.0)]
    }

    /// Returns true if beacons with this tenant and content id are excluded, because the tenant or the content id is
    /// child-directed.
    pub(crate) fn is_child_directed(&self, tenant: Tenant, content: Option<&str>) -> bool {
        let listed = |content: &str| !self.child_content.is_empty() && self.child_content.contains(content);
        self.child_directed[usize::from(tenant.0)] || content.is_some_and(listed)
    }
}

#[cfg(test)]
mod tests;
