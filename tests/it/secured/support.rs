//! A secured broker that these tests share. The permissions that `topics acl` prints are granted with Kafka's own tool.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::process::{Command, Output};
use std::sync::OnceLock;

use crowdfold_kafka::ClientSettings;
use crowdfold_testkit::{Kafka, Options, binary};

use crate::worker::support::Deployment;

/// The maximum number of permissions of a stage. For each of them, the broker has a user that lacks it in the tests of
/// missing permissions.
pub(super) const MOST: usize = 16;

/// The settings of a librdkafka client.
pub(super) type Properties = Vec<(&'static str, String)>;

/// Returns the shared broker. Each test has its own topics and groups, so its permissions on them do not affect other
/// tests. Tests that remove permissions on the cluster have their own users.
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

/// Sets a key of the configuration. In contrast to [`Deployment::set`], the name of the key need not be a constant.
pub(super) fn set(deployment: &mut Deployment<'_>, key: &str, value: &str) {
    // The name is leaked on purpose, because a test sets only a few dozen names.
    deployment.set(Box::leak(key.to_owned().into_boxed_str()), &format!("{value:?}"));
}

/// Configures the deployment to connect to a listener of the broker, with these properties of librdkafka.
pub(super) fn connect(deployment: &mut Deployment<'_>, listener: &str, properties: &Properties) {
    let keep = |key: &&str| !key.starts_with("kafka.properties.\"s") || key.contains("session.timeout");
    deployment.keys.retain(|key, _| keep(key));
    // The session timeout is long because of busy machines. No test waits for it.
    deployment.set("kafka.properties.\"session.timeout.ms\"", "30000");
    deployment.set("kafka.properties.\"heartbeat.interval.ms\"", "3000");
    deployment.set("kafka.brokers", &format!("[{:?}]", broker().security().bootstrap(listener)));
    for (key, value) in properties {
        set(deployment, &format!("kafka.properties.{key:?}"), value);
    }
}

/// Configures the deployment to connect as a user, with a SASL mechanism.
pub(super) fn connect_as(deployment: &mut Deployment<'_>, mechanism: &str, user: &str) {
    connect(deployment, "SASL", &broker().security().sasl(mechanism, user));
}

/// Returns the settings of a client of the crate `kafka` that connects as a user.
pub(super) fn client(user: &str) -> ClientSettings {
    let security = broker().security();
    let properties = security.sasl("SCRAM-SHA-512", user);
    ClientSettings {
        brokers: security.bootstrap("SASL"),
        client_id: "crowdfold-test".into(),
        properties: properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
    }
}

/// Runs the program until it exits. If the broker does not respond in time, which happens on a busy machine, runs the
/// program again.
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

/// Returns the standard output and stderr of the program.
pub(super) fn output_text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// A command that `topics acl` printed, divided into its parts.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) principal: String,
    pub(super) operations: Vec<String>,
    /// The arguments that name the resources, such as `--topic` and its name.
    pub(super) resources: Vec<String>,
}

/// Returns the commands that `topics acl` prints.
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

/// Grants the operations on the resources of `grant` to these principals.
pub(super) fn add(grant: &Grant, principals: &[String]) {
    alter(grant, &["--add"], principals);
}

/// Removes a permission from the principal of the grant.
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

/// Grants these principals the permissions that `topics acl` prints for them. Each command starts a JVM, so two
/// commands run at the same time.
pub(super) fn grant_as_printed(deployment: &Deployment<'_>, principals: &[&str]) {
    let grants: Vec<_> = printed(deployment)
        .into_iter()
        .filter(|grant| principals.contains(&grant.principal.as_str()))
        .collect();
    for principal in principals {
        assert!(
            grants.iter().any(|grant| grant.principal == *principal),
            "no permission is printed for {principal}"
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
