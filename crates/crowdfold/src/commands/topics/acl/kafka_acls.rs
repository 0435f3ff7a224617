//! Prints permissions as commands for Kafka's `kafka-acls.sh`.

use std::borrow::Cow;
use std::io::{self, Write};

use crowdfold_kafka::acl::{Operation, Resource, Right};
use crowdfold_worker::Config;
use crowdfold_worker::roles::Actor;

use super::by_resource;

const HEAD: &str = "\
# The minimal permissions of each role, to be granted by an administrator, whose connection is in admin.properties.
# Further ACLs of these principals add permissions that they do not need; `kafka-acls.sh --list` shows all ACLs.
";

/// Prints a comment and the commands for each principal.
pub(super) fn print(config: &Config, actors: &[Actor], out: &mut impl Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    let brokers = config.kafka.brokers.join(",");
    for Actor { principal, roles, rights } in actors {
        writeln!(out, "\n# {principal}: {}", roles.join(", "))?;
        if roles.iter().any(|role| role.starts_with("reader")) {
            writeln!(
                out,
                "# (a reader that joins a consumer group also needs --operation Read --group NAME)"
            )?;
        }
        let principal = format!("User:{principal}");
        for (operations, resources) in by_operations(rights) {
            write!(
                out,
                "kafka-acls.sh --bootstrap-server {} --command-config admin.properties --add --allow-principal {}",
                quoted(&brokers),
                quoted(&principal)
            )?;
            for operation in operations {
                write!(out, " --operation {}", operation.name())?;
            }
            for resource in resources {
                match resource {
                    Resource::Topic(name) => write!(out, " --topic {name}")?,
                    Resource::Group(name) => write!(out, " --group {name}")?,
                    Resource::TransactionalIds(prefix) => {
                        write!(out, " --resource-pattern-type prefixed --transactional-id {prefix}")?;
                    }
                    Resource::Cluster => write!(out, " --cluster")?,
                }
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// Returns the operations and resources of each command. Topics with the same operations share one command. Each other
/// resource has its own command.
fn by_operations(rights: &[Right]) -> Vec<(Vec<Operation>, Vec<&Resource>)> {
    let mut commands: Vec<(Vec<Operation>, Vec<&Resource>)> = Vec::new();
    for (resource, operations) in by_resource(rights) {
        let same = |(known, resources): &&mut (Vec<Operation>, Vec<&Resource>)| {
            let topics =
                |other: &&Resource| matches!((*other, resource), (Resource::Topic(_), Resource::Topic(_)));
            *known == operations && resources.iter().all(topics)
        };
        match commands.iter_mut().find(same) {
            Some((_, resources)) => resources.push(resource),
            None => commands.push((operations, vec![resource])),
        }
    }
    commands
}

/// Quotes a word for a POSIX shell, if it contains special characters.
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:,=@/".contains(&byte);
    if word.bytes().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")).into() }
}
