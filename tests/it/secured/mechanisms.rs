//! Tests all supported authentication mechanisms with `topics check`.

use super::support::{Properties, broker, connect, crowdfold, grant_as_printed, output_text, set};
use crate::worker::support::Deployment;

#[test]
fn program_connects_with_tls_mutual_tls_and_every_sasl_mechanism() {
    let security = broker().security();
    let mut deployment = Deployment::new(broker()).with_topics();
    let certificate = security.authority().certificate("looks");
    let token = security.token("auditor", security.issuer().secret());
    let mechanisms: [(&str, &str, Properties); 5] = [
        ("MUTUAL", "CN=looks", security.mutual(&certificate)),
        ("SASL", "auditor", security.sasl("PLAIN", "auditor")),
        ("SASL", "auditor", security.sasl("SCRAM-SHA-256", "auditor")),
        ("SASL", "auditor", security.sasl("SCRAM-SHA-512", "auditor")),
        ("SASL", "auditor", token),
    ];
    for principal in ["CN=looks", "auditor"] {
        set(&mut deployment, "principals.auditor", principal);
        grant_as_printed(&deployment, &[principal]);
    }
    for (listener, principal, properties) in mechanisms {
        connect(&mut deployment, listener, &properties);
        let output = crowdfold(&deployment, &["topics", "check"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{principal} with {properties:?}: {}",
            output_text(&output)
        );
    }
    // A client that uses TLS without a certificate has the principal ANONYMOUS, which is a super user on this broker.
    connect(&mut deployment, "TLS", &security.tls());
    let output = crowdfold(&deployment, &["topics", "check"]);
    assert_eq!(output.status.code(), Some(0), "{}", output_text(&output));
}

/// Authentication alone does not grant any permission.
#[test]
fn error_of_an_authenticated_principal_names_the_missing_permission() {
    let security = broker().security();
    let mut deployment = Deployment::new(broker()).with_topics();
    connect(&mut deployment, "SASL", &security.sasl("PLAIN", "nobody"));
    let output = crowdfold(&deployment, &["topics", "check"]);
    assert_eq!(output.status.code(), Some(1), "{}", output_text(&output));
    let expected = "crowdfold: principal User:nobody may not DescribeConfigs the cluster; grant the permission as \
                    printed by `crowdfold topics acl`\n";
    assert_eq!(output_text(&output), expected);
    connect(&mut deployment, "MUTUAL", &security.mutual(&security.authority().certificate("stranger")));
    let output = crowdfold(&deployment, &["query"]);
    let expected = format!(
        "crowdfold: this principal may not Read topic {}; grant the permission",
        deployment.topic("rollups")
    );
    assert!(output_text(&output).starts_with(&expected), "{}", output_text(&output));
}
