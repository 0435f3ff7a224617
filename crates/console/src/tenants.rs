//! The tenants that a request may see.

use std::collections::BTreeMap;

use crowdfold_model::Timestamp;

use crate::question::{Parameters, Refusal};
use crate::{Access, Store};

/// The tenants that a request may see.
pub(crate) struct Tenants {
    /// Each tenant, with the start of its first window and the end of its newest window.
    pub(crate) seen: BTreeMap<String, (Timestamp, Timestamp)>,
    /// The start of the first window of any tenant, also of tenants that the request may not see.
    pub(crate) first: Timestamp,
    /// The end of the newest window of any tenant, also of tenants that the request may not see.
    pub(crate) newest: Timestamp,
}

impl Tenants {
    pub(crate) fn of(store: &Store, access: &Access) -> Result<Self, Refusal> {
        let all = store.tenants()?;
        let newest = all.values().map(|(.., newest)| *newest).max().unwrap_or_default();
        let first = all.values().map(|(first, ..)| *first).min().unwrap_or_default();
        let seen = all.into_iter().filter(|(tenant, _)| access.sees(tenant));
        Ok(Self {
            seen: seen.map(|(tenant, (first, _, newest))| (tenant, (first, newest))).collect(),
            first,
            newest,
        })
    }

    /// Keeps only the tenant that the request names. If it names no tenant, keeps all.
    pub(crate) fn chosen(mut self, parameters: &Parameters) -> Result<Self, Refusal> {
        if let Some(asked) = parameters.one("tenant") {
            self.check(asked)?;
            self.seen.retain(|tenant, _| tenant == asked);
        }
        Ok(self)
    }

    /// Returns the tenant that the request names. It can be omitted if the request may see only one.
    pub(crate) fn asked(&self, parameters: &Parameters) -> Result<String, Refusal> {
        if let Some(asked) = parameters.one("tenant") {
            return self.check(asked).map(|()| asked.to_owned());
        }
        let mut tenants = self.seen.keys();
        match (tenants.next(), tenants.next()) {
            (Some(only), None) => Ok(only.clone()),
            (None, _) => Err(Refusal::unknown("there are no rollups yet")),
            _ => Err(Refusal::bad(format!("tenant is missing; set it to one of: {}", self.listed()))),
        }
    }

    fn check(&self, tenant: &str) -> Result<(), Refusal> {
        if self.seen.contains_key(tenant) {
            return Ok(());
        }
        let (tenant, known) = (tenant.escape_debug(), self.listed());
        Err(Refusal::unknown(format!("unknown tenant \"{tenant}\"; the tenants with rollups are: {known}")))
    }

    fn listed(&self) -> String {
        self.seen.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}
