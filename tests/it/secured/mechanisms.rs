//! Every way to show who one is, with the program itself.

use super::support::{Properties, broker, come, crowdfold, grant_as_printed, output_text, set};
use crate::worker::support::Deployment;

#[test]
fn tls_mutual_tls_and_every_mechanism_of_sasl() {
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
        come(&mut deployment, listener, &properties);
        let output = crowdfold(&deployment, &["topics", "check"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{principal} with {properties:?}: {}",
            output_text(&output)
        );
    }
    // whoever comes by TLS alone is nobody in particular, whom this broker lets do everything
    come(&mut deployment, "TLS", &security.tls());
    let output = crowdfold(&deployment, &["topics", "check"]);
    assert_eq!(output.status.code(), Some(0), "{}", output_text(&output));
}

/// Who is let in may do nothing by that alone.
#[test]
fn authenticated_principal_without_grants_is_named_what_it_lacks() {
    let security = broker().security();
    let mut deployment = Deployment::new(broker()).with_topics();
    come(&mut deployment, "SASL", &security.sasl("PLAIN", "nobody"));
    let output = crowdfold(&deployment, &["topics", "check"]);
    assert_eq!(output.status.code(), Some(1), "{}", output_text(&output));
    let expected = "crowdfold: principal User:nobody may not DescribeConfigs the cluster; grant the permission as \
                    printed by `crowdfold topics acl`\n";
    assert_eq!(output_text(&output), expected);
    come(&mut deployment, "MUTUAL", &security.mutual(&security.authority().certificate("stranger")));
    let output = crowdfold(&deployment, &["query"]);
    let expected = format!(
        "crowdfold: this principal may not Read topic {}; grant the permission",
        deployment.topic("rollups")
    );
    assert!(output_text(&output).starts_with(&expected), "{}", output_text(&output));
}
