//! Configures a broker with an authorizer, and with listeners that require authentication.
//!
//! The first listener requires no authentication. Its clients have the principal `ANONYMOUS`, which is a super user, so
//! tests can prepare and inspect the cluster. The other listeners are `TLS` (TLS without authentication), `MUTUAL` (TLS
//! with a client certificate), `SASL` (all SASL mechanisms, over TLS) and `EXPIRED` (TLS with a server certificate that
//! has expired).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::certificates::{Authority, Certificate};
use super::free_port;
use crate::tokens::Issuer;

const LISTENERS: [&str; 4] = ["TLS", "MUTUAL", "SASL", "EXPIRED"];

/// The certificates, passwords and listeners of a secured broker.
#[derive(Debug)]
pub struct Security {
    authority: Authority,
    issuer: Issuer,
    ports: BTreeMap<&'static str, u16>,
    passwords: BTreeMap<String, String>,
    dir: PathBuf,
}

impl Security {
    /// Creates certificates, passwords and an issuer of tokens, with files in `dir`.
    pub(super) fn new(dir: &Path, users: &[String]) -> Self {
        let passwords = users.iter().map(|user| (user.clone(), crate::unique("pw"))).collect();
        let ports = LISTENERS.iter().map(|name| (*name, free_port())).collect();
        let authority = Authority::new(&dir.join("tls"));
        Self { authority, issuer: Issuer::new(&dir.join("tokens")), ports, passwords, dir: dir.into() }
    }

    /// Returns the certificate authority that this broker trusts.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Returns the issuer whose tokens this broker accepts.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Returns the password of a user. A user has the same password for PLAIN and both SCRAM mechanisms.
    ///
    /// # Panics
    /// If the broker was started without that user.
    #[must_use]
    pub fn password(&self, user: &str) -> &str {
        self.passwords.get(user).unwrap_or_else(|| panic!("there is no user {user}"))
    }

    /// Returns the value of `bootstrap.servers` for a listener.
    ///
    /// # Panics
    /// If no listener has that name.
    #[must_use]
    pub fn bootstrap(&self, listener: &str) -> String {
        format!("127.0.0.1:{}", self.ports[listener])
    }

    /// Returns the settings of librdkafka for TLS without a client certificate.
    #[must_use]
    pub fn tls(&self) -> Vec<(&'static str, String)> {
        let ca = self.authority.ca().display().to_string();
        vec![("security.protocol", "ssl".into()), ("ssl.ca.location", ca)]
    }

    /// Returns the settings of librdkafka for TLS with a client certificate.
    #[must_use]
    pub fn mutual(&self, certificate: &Certificate) -> Vec<(&'static str, String)> {
        let mut properties = self.tls();
        properties.push(("ssl.certificate.location", certificate.certificate.display().to_string()));
        properties.push(("ssl.key.location", certificate.key.display().to_string()));
        properties
    }

    /// Returns the settings of librdkafka for a user with `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    #[must_use]
    pub fn sasl(&self, mechanism: &str, user: &str) -> Vec<(&'static str, String)> {
        vec![
            ("security.protocol", "sasl_ssl".into()),
            ("ssl.ca.location", self.authority.ca().display().to_string()),
            ("sasl.mechanism", mechanism.into()),
            ("sasl.username", user.into()),
            ("sasl.password", self.password(user).into()),
        ]
    }

    /// Returns the settings of librdkafka for authentication with a token of the issuer.
    #[must_use]
    pub fn token(&self, client: &str, secret: &str) -> Vec<(&'static str, String)> {
        vec![
            ("security.protocol", "sasl_ssl".into()),
            ("ssl.ca.location", self.authority.ca().display().to_string()),
            ("sasl.mechanism", "OAUTHBEARER".into()),
            ("sasl.oauthbearer.method", "oidc".into()),
            ("sasl.oauthbearer.token.endpoint.url", self.issuer.endpoint()),
            ("sasl.oauthbearer.client.id", client.into()),
            ("sasl.oauthbearer.client.secret", secret.into()),
        ]
    }

    /// Returns the arguments that create the SCRAM users when the storage is formatted.
    pub(super) fn format_arguments(&self) -> Vec<String> {
        let add = |(user, password): (&String, &String)| {
            ["SCRAM-SHA-256", "SCRAM-SHA-512"].map(|mechanism| {
                ["--add-scram".to_owned(), format!("{mechanism}=[name={user},password={password}]")]
            })
        };
        self.passwords.iter().flat_map(add).flatten().collect()
    }

    /// Returns flags for the broker's JVM. They set the system property with the URLs from which Kafka may read the
    /// keys of tokens.
    pub(super) fn flags(&self) -> Vec<String> {
        vec![format!(
            "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://{}",
            self.issuer.keys().display()
        )]
    }

    /// Returns the properties of the broker. `open` is the port of the listener without authentication, and
    /// `controller` is the port of the controller.
    pub(super) fn properties(&self, open: u16, controller: u16) -> BTreeMap<String, String> {
        let listener = |(name, port): (&&str, &u16)| format!(",{name}://127.0.0.1:{port}");
        let listeners: String = self.ports.iter().map(listener).collect();
        let users: String =
            self.passwords.iter().map(|(user, password)| format!(" user_{user}=\"{password}\"")).collect();
        const SECURITY: &str = "org.apache.kafka.common.security";
        let file = |path: PathBuf| path.display().to_string();
        let set = [
            (
                "listeners",
                format!("PLAINTEXT://127.0.0.1:{open},CONTROLLER://127.0.0.1:{controller}{listeners}"),
            ),
            (
                "listener.security.protocol.map",
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MUTUAL:SSL,EXPIRED:SSL,SASL:SASL_SSL"
                    .into(),
            ),
            ("inter.broker.listener.name", "PLAINTEXT".into()),
            ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer".into()),
            ("super.users", "User:ANONYMOUS".into()),
            ("ssl.keystore.type", "PEM".into()),
            ("ssl.keystore.location", file(self.authority.keystore("broker", 30))),
            ("ssl.truststore.type", "PEM".into()),
            ("ssl.truststore.location", file(self.authority.ca())),
            ("listener.name.mutual.ssl.client.auth", "required".into()),
            ("listener.name.expired.ssl.keystore.location", file(self.authority.keystore("broker", -1))),
            ("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER".into()),
            (
                "listener.name.sasl.plain.sasl.jaas.config",
                format!("{SECURITY}.plain.PlainLoginModule required{users};"),
            ),
            (
                "listener.name.sasl.scram-sha-256.sasl.jaas.config",
                format!("{SECURITY}.scram.ScramLoginModule required;"),
            ),
            (
                "listener.name.sasl.scram-sha-512.sasl.jaas.config",
                format!("{SECURITY}.scram.ScramLoginModule required;"),
            ),
            (
                "listener.name.sasl.oauthbearer.sasl.jaas.config",
                format!("{SECURITY}.oauthbearer.OAuthBearerLoginModule required;"),
            ),
            (
                "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class",
                format!("{SECURITY}.oauthbearer.OAuthBearerValidatorCallbackHandler"),
            ),
            (
                "listener.name.sasl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url",
                format!("file://{}", self.issuer.keys().display()),
            ),
            ("listener.name.sasl.oauthbearer.sasl.oauthbearer.expected.audience", "kafka".into()),
        ];
        set.map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// Returns a directory in which tests may create files. It is deleted when the broker is dropped.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}
