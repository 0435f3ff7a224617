//! Prints permissions as KafkaUser resources for Strimzi, one for each principal.

use std::io::Write;

use crowdfold_kafka::acl::Resource;
use crowdfold_worker::roles::Actor;

use super::by_resource;
use crate::error::CrowdfoldError;

const HEAD: &str = "\
# The minimal permissions of each role, for Strimzi's user operator (authorization of type simple).
# Replace my-cluster by the name of your Kafka resource.
";

/// Prints a KafkaUser resource for each principal.
pub(super) fn print(actors: &[Actor], out: &mut impl Write) -> Result<(), CrowdfoldError> {
    // All names are checked before anything is printed, because a pipe may pass the output to `kubectl apply`.
    let users: Vec<_> = actors.iter().map(|actor| user(&actor.principal)).collect::<Result<_, _>>()?;
    out.write_all(HEAD.as_bytes())?;
    for (Actor { roles, rights, .. }, (name, authentication)) in actors.iter().zip(users) {
        write!(
            out,
            "---
# {}
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata:
  name: {}
  labels:
    strimzi.io/cluster: my-cluster
spec:
  authentication:
    type: {authentication}
  authorization:
    type: simple
    acls:
",
            roles.join(", "),
            quoted(name)
        )?;
        for (resource, operations) in by_resource(rights) {
            let operations: Vec<_> = operations.iter().map(|operation| operation.name()).collect();
            let (kind, named) = match resource {
                Resource::Topic(name) => ("topic", Some((name, "literal"))),
                Resource::Group(name) => ("group", Some((name, "literal"))),
                Resource::TransactionalIds(prefix) => ("transactionalId", Some((prefix, "prefix"))),
                Resource::Cluster => ("cluster", None),
            };
            writeln!(out, "      - resource:\n          type: {kind}")?;
            if let Some((name, pattern)) = named {
                writeln!(out, "          name: {}\n          patternType: {pattern}", quoted(name))?;
            }
            writeln!(out, "        operations: [{}]", operations.join(", "))?;
        }
    }
    Ok(())
}

/// Returns the name and the type of authentication of the KafkaUser for a principal. A user that authenticates with a
/// certificate has the principal `CN=name`, and a user that authenticates with SCRAM has the principal `name`.
fn user(principal: &str) -> Result<(&str, &'static str), CrowdfoldError> {
    let (name, authentication) = match principal.strip_prefix("CN=") {
        Some(name) => (name, "tls"),
        None => (principal, "scram-sha-512"),
    };
    let outer = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |byte: u8| outer(Some(byte)) || matches!(byte, b'-' | b'.');
    if name.bytes().all(inner) && outer(name.bytes().next()) && outer(name.bytes().last()) {
        return Ok((name, authentication));
    }
    Err(CrowdfoldError::Usage(format!(
        "[principals] \"{}\" cannot be the name of a KafkaUser; use only a-z, 0-9, `-` and `.` (\"CN=name\" if it \
         authenticates with a certificate), or --format kafka-acls",
        principal.escape_debug()
    )))
}

/// Quotes a YAML string, so that parsers do not read it as a number or a boolean.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
