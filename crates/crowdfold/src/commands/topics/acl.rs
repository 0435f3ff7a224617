//! `topics acl`: the least rights of each role, in the words of who is to grant them.

mod kafka_acls;
mod strimzi;
#[cfg(test)]
mod tests;

use std::io::Write;

use crowdfold_kafka::acl::{Operation, Resource, Right};

use crate::cli::AclFormat;
use crate::config::Config;
use crate::failure::Failure;
use crate::roles;

/// Prints them. Asks no broker.
///
/// # Errors
/// When a principal has no name in that form, or `out` cannot be written to.
pub(super) fn run(format: AclFormat, config: &Config, out: &mut impl Write) -> Result<(), Failure> {
    let actors = roles::actors(config);
    match format {
        AclFormat::KafkaAcls => Ok(kafka_acls::print(config, &actors, out)?),
        AclFormat::Strimzi => strimzi::print(&actors, out),
    }
}

/// Operations on one resource, in the order of the table.
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
