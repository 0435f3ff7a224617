//! `topics acl`: prints the minimal permissions of each role, in the format of the tool that grants them.

mod kafka_acls;
mod strimzi;
#[cfg(test)]
mod tests;

use std::io::Write;

use crowdfold_kafka::acl::{Operation, Resource, Right};
use crowdfold_worker::{Config, roles};

use crate::cli::AclFormat;
use crate::error::CrowdfoldError;

/// Prints the permissions. Does not connect to a broker.
///
/// # Errors
/// Returns an error if the name of a principal is not valid in the format, or if `out` cannot be written to.
pub(super) fn run(format: AclFormat, config: &Config, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    let actors = roles::actors(config);
    match format {
        AclFormat::KafkaAcls => Ok(kafka_acls::print(config, &actors, out)?),
        AclFormat::Strimzi => strimzi::print(&actors, out),
    }
}

/// Groups the operations by resource, and keeps the order of `rights`.
fn by_resource(rights: &[Right]) -> Vec<(&Resource, Vec<Operation>)> {
    let mut listed: Vec<(&Resource, Vec<Operation>)> = Vec::new();
    for Right { resource, operation } in rights {
        match listed.iter_mut().find(|(known, _)| *known == resource) {
            Some((_, operations)) => operations.push(*operation),
            None => listed.push((resource, vec![*operation])),
        }
    }
    listed
}
