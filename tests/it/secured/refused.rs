//! Tests of clients that cannot connect or authenticate. The program must exit soon, with one error that contains no
//! secret.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::path::Path;

use crowdfold_testkit::Authority;

use super::support::{Properties, broker, connect};
use crate::worker::support::{Deployment, Worker};

/// A wrong secret, which no output may contain.
const SECRET: &str = "hunter2-5e1f";

/// Asserts that `run` exits with this code, and that the last line of its log contains these words. The log must be
/// short, and must not contain a secret.
#[track_caller]
fn ends(deployment: &mut Deployment<'_>, listener: &str, properties: Properties, code: i32, words: &[&str]) {
    connect(deployment, listener, &properties);
    let mut worker = Worker::start(deployment, "w");
    let status = worker.wait();
    let log = worker.log();
    assert_eq!(status.code(), Some(code), "{log}");
    let last = log.lines().last().unwrap();
    assert!(last.starts_with("crowdfold: "), "{log}");
    for word in words {
        assert!(last.contains(word), "{word:?} is not in the last line:\n{log}");
    }
    assert!(log.lines().count() <= 8, "the log is too long, so the error was retried too often:\n{log}");
    for secret in [SECRET, broker().security().password("worker"), broker().security().issuer().secret()] {
        assert!(!log.contains(secret), "a secret:\n{log}");
    }
}

fn with(mut properties: Properties, key: &'static str, value: &str) -> Properties {
    properties.retain(|(known, _)| *known != key);
    properties.push((key, value.to_owned()));
    properties
}

#[test]
fn wrong_password_token_or_user_is_reported_with_the_mechanism() {
    let security = broker().security();
    let mut deployment = Deployment::new(broker());
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let wrong = with(security.sasl(mechanism, "worker"), "sasl.password", SECRET);
        let how = format!("by sasl_ssl with {mechanism} (");
        ends(&mut deployment, "SASL", wrong, 1, &["cannot connect to 127.0.0.1:", &how, "uthentication"]);
    }
    ends(
        &mut deployment,
        "SASL",
        security.token("worker", SECRET),
        1,
        &["by sasl_ssl with OAUTHBEARER (", "token"],
    );
    let unknown_user = with(security.sasl("PLAIN", "worker"), "sasl.username", "no-such-user");
    ends(&mut deployment, "SASL", unknown_user, 1, &["by sasl_ssl with PLAIN ("]);
}

#[test]
fn untrusted_expired_or_missing_certificate_is_reported_with_the_reason() {
    let security = broker().security();
    let mut deployment = Deployment::new(broker());
    let other = Authority::new(&deployment.dir.path().join("other"));
    let authority = security.authority();
    let theirs = "; the brokers' certificate is expired, issued for another name, or not signed by the authority in \
         ssl.ca.location";
    let ours = "; the brokers reject the client's certificate, which may be missing, expired or signed by another authority";
    let untrusted = with(security.tls(), "ssl.ca.location", &other.ca().display().to_string());
    ends(&mut deployment, "TLS", untrusted, 1, &["by ssl (", theirs]);
    ends(&mut deployment, "EXPIRED", security.tls(), 1, &["by ssl (", theirs]);
    ends(
        &mut deployment,
        "MUTUAL",
        security.mutual(&authority.certificate_for("worker", -1)),
        1,
        &["by ssl (", ours],
    );
    ends(&mut deployment, "MUTUAL", security.mutual(&other.certificate("worker")), 1, &["by ssl (", ours]);
    ends(&mut deployment, "MUTUAL", security.tls(), 1, &["by ssl (", ours]);
}

#[test]
fn missing_or_invalid_certificate_or_password_file_is_reported_with_its_configuration_key() {
    let security = broker().security();
    let mut deployment = Deployment::new(broker());
    let nowhere = deployment.dir.path().join("nowhere").display().to_string();
    let missing = with(security.tls(), "ssl.ca.location", &nowhere);
    ends(&mut deployment, "TLS", missing, 1, &["cannot create a Kafka client", "ssl.ca.location"]);
    let missing = with(security.sasl("PLAIN", "worker"), "sasl.password", &format!("file:{nowhere}"));
    ends(
        &mut deployment,
        "SASL",
        missing,
        2,
        &[&nowhere, "kafka.properties.sasl.password names this file, which cannot be read"],
    );
    let garbled = deployment.dir.path().join("garbled");
    write(&garbled, SECRET);
    let broken = with(security.tls(), "ssl.ca.location", &garbled.display().to_string());
    ends(&mut deployment, "TLS", broken, 1, &["cannot create a Kafka client", "ssl.ca.location"]);
    let broken = with(security.tls(), "ssl.key.pem", SECRET);
    ends(&mut deployment, "TLS", broken, 1, &["cannot create a Kafka client", "ssl.key.pem"]);
}

/// Editors and other tools often write a line break after the password.
#[test]
fn line_break_after_the_password_in_a_file_is_ignored() {
    let security = broker().security();
    let mut deployment = Deployment::new(broker());
    let file = deployment.dir.path().join("password");
    write(&file, &format!("{}\r\n", security.password("worker")));
    let read =
        with(security.sasl("SCRAM-SHA-512", "worker"), "sasl.password", &format!("file:{}", file.display()));
    // This error is about a permission, so the authentication succeeded.
    ends(&mut deployment, "SASL", read, 1, &["principal User:worker may not"]);
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
