//! A secured broker for all these tests, and the rights that `topics acl` prints, granted by Kafka's own tool.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use std::process::{Command, Output};
use std::sync::OnceLock;

use crowdfold_kafka::ClientSettings;
use crowdfold_testkit::{Kafka, Options, binary};

use crate::worker::support::Deployment;

/// How many rights a stage has at most: for each, a user who lacks it.
pub(super) const MOST: usize = 16;

/// What a client of librdkafka is told.
pub(super) type Properties = Vec<(&'static str, String)>;

/// One for all of these tests. What a principal may do on topics and groups ends at a test's own; what it may do on the
/// cluster is for all tests, so those that take it away have users of their own.
pub(super) fn broker() -> &'static Kafka {
    static BROKER: OnceLock<Kafka> = OnceLock::new();
    BROKER.get_or_init(|| {
        let mut users: Vec<String> = [
            "collector",
            "combiner",
            "merger",
            "worker",
            "eraser",
            "operator",
            "auditor",
            "reader",
            "acme",
            "nobody",
            "loses",
            "sees-partials",
            "sees-rejections",
            "sees-rollups",
        ]
        .map(Into::into)
        .into();
        users.extend((0..MOST).flat_map(|nth| [format!("combine-{nth}"), format!("merge-{nth}")]));
        let users: Vec<_> = users.iter().map(String::as_str).collect();
        Kafka::start(Options::secured(&users).never_stopped())
    })
}

/// Sets a key of the configuration, whatever its name.
pub(super) fn set(deployment: &mut Deployment<'_>, key: &str, value: &str) {
    // a few dozen names in the life of a test
    deployment.set(Box::leak(key.to_owned().into_boxed_str()), &format!("{value:?}"));
}

/// From here on this deployment's configuration comes by a listener of the broker, with these properties.
pub(super) fn come(deployment: &mut Deployment<'_>, listener: &str, properties: &Properties) {
    let keep = |key: &&str| !key.starts_with("kafka.properties.\"s") || key.contains("session.timeout");
    deployment.keys.retain(|key, _| keep(key));
    // nobody dies here, and a busy machine is slow
    deployment.set("kafka.properties.\"session.timeout.ms\"", "30000");
    deployment.set("kafka.properties.\"heartbeat.interval.ms\"", "3000");
    deployment.set("kafka.brokers", &format!("[{:?}]", broker().security().bootstrap(listener)));
    for (key, value) in properties {
        set(deployment, &format!("kafka.properties.{key:?}"), value);
    }
}

/// The same as a user, by SASL.
pub(super) fn come_as(deployment: &mut Deployment<'_>, mechanism: &str, user: &str) {
    come(deployment, "SASL", &broker().security().sasl(mechanism, user));
}

/// What our own clients are told to come as a user.
pub(super) fn client(user: &str) -> ClientSettings {
    let security = broker().security();
    let properties = security.sasl("SCRAM-SHA-512", user);
    ClientSettings {
        brokers: security.bootstrap("SASL"),
        client_id: "crowdfold-test".into(),
        properties: properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
    }
}

/// The program, run to its end; again where a busy machine has a broker answer too late.
pub(super) fn crowdfold(deployment: &Deployment<'_>, arguments: &[&str]) -> Output {
    let mut turns = 10;
    loop {
        let mut command = Command::new(binary("crowdfold"));
        let output = command.args(arguments).arg("--config").arg(deployment.config("tool")).output().unwrap();
        turns -= 1;
        if turns == 0 || !output_text(&output).contains("crowdfold: no broker at ") {
            return output;
        }
    }
}

/// All that it said.
pub(super) fn output_text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// One line of what `topics acl` prints, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) principal: String,
    pub(super) operations: Vec<String>,
    /// Arguments that name resources.
    pub(super) resources: Vec<String>,
}

/// What `topics acl` prints.
pub(super) fn printed(deployment: &Deployment<'_>) -> Vec<Grant> {
    let output = crowdfold(deployment, &["topics", "acl"]);
    assert!(output.status.success(), "{}", output_text(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    let grants: Vec<_> =
        printed.lines().filter(|line| line.starts_with("kafka-acls.sh ")).map(grant).collect();
    assert!(grants.len() > 5, "{printed}");
    grants
}

fn grant(line: &str) -> Grant {
    let mut words = line.split(' ').map(|word| word.trim_matches('\'').to_owned());
    let head: Vec<_> = words.by_ref().take(6).collect();
    assert_eq!(
        (&*head[1], &*head[3], &*head[5]),
        ("--bootstrap-server", "--command-config", "--add"),
        "{line}"
    );
    assert_eq!(words.next().as_deref(), Some("--allow-principal"), "{line}");
    let principal = words.next().unwrap().strip_prefix("User:").unwrap().to_owned();
    let (mut operations, mut resources) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "--operation" => operations.push(words.next().unwrap()),
            _ => resources.push(word),
        }
    }
    Grant { principal, operations, resources }
}

/// Has Kafka's own tool add it, to these principals.
pub(super) fn add(grant: &Grant, principals: &[String]) {
    alter(grant, &["--add"], principals);
}

/// Has it taken away from its principal.
pub(super) fn remove(grant: &Grant) {
    alter(grant, &["--remove", "--force"], std::slice::from_ref(&grant.principal));
}

fn alter(grant: &Grant, how: &[&str], principals: &[String]) {
    let mut arguments = vec!["--bootstrap-server", broker().bootstrap()];
    arguments.extend(how);
    let users: Vec<_> = principals.iter().map(|principal| format!("User:{principal}")).collect();
    arguments.extend(users.iter().flat_map(|user| ["--allow-principal", user]));
    arguments.extend(grant.operations.iter().flat_map(|operation| ["--operation", operation]));
    arguments.extend(grant.resources.iter().map(String::as_str));
    let _ = broker().tool("org.apache.kafka.tools.AclCommand", &arguments);
}

/// Grants what is printed for these principals, and nothing else. A virtual machine for each line: two at a time.
pub(super) fn grant_as_printed(deployment: &Deployment<'_>, principals: &[&str]) {
    let grants: Vec<_> = printed(deployment)
        .into_iter()
        .filter(|grant| principals.contains(&grant.principal.as_str()))
        .collect();
    for principal in principals {
        assert!(
            grants.iter().any(|grant| grant.principal == *principal),
            "nothing is printed for {principal}"
        );
    }
    std::thread::scope(|scope| {
        for half in grants.chunks(grants.len().div_ceil(2)) {
            scope.spawn(move || {
                half.iter().for_each(|grant| add(grant, std::slice::from_ref(&grant.principal)))
            });
        }
    });
}
