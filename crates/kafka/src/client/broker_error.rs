//! Distinguishes a cluster that cannot be reached from a cluster with failed authentication. Authentication fails if
//! the cluster refuses the client, or if the client does not trust the certificate of the cluster.

use rdkafka::error::RDKafkaErrorCode;

use super::ClientSettings;
use crate::KafkaError;

/// An error of the connection to a broker, as librdkafka reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokerError {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) reason: String,
}

impl BrokerError {
    /// Returns true if retrying is useless because the broker or the client failed to authenticate.
    fn is_refusal(&self) -> bool {
        use RDKafkaErrorCode as C;
        match self.code {
            C::Authentication | C::SaslAuthenticationFailed | C::UnsupportedSASLMechanism => true,
            // if a broker stops during the handshake, the error is also an SSL error, but contains the word
            // "Disconnected"
            C::SSL => !self.reason.contains("Disconnected"),
            // with TLS 1.3, a broker checks the client certificate only after the handshake, so librdkafka reports a
            // refused certificate with another error code
            _ => self.reason.contains(ALERT),
        }
    }

    /// Returns the likely cause, which the caller appends to librdkafka's message. Returns an empty string if the
    /// message already names the cause.
    fn hint(&self) -> &'static str {
        if self.reason.contains(ALERT) {
            "; the brokers reject the client's certificate, which may be missing, expired or signed by another \
             authority"
        } else if self.reason.contains("certificate verify failed")
            || self.reason.contains("could not be verified")
        {
            "; the brokers' certificate is expired, issued for another name, or not signed by the authority in \
             ssl.ca.location"
        } else {
            ""
        }
    }
}

/// The word in OpenSSL's messages for a TLS alert. A broker refuses a certificate with an alert.
const ALERT: &str = "alert";

impl ClientSettings {
    /// Returns the error for a cluster that does not respond. The reason in the error is the last broker error, or the
    /// result of `otherwise` if there is no broker error.
    pub(crate) fn unreachable(
        &self,
        last_error: Option<BrokerError>,
        otherwise: impl FnOnce() -> String,
    ) -> KafkaError {
        let brokers = self.brokers.clone();
        match last_error {
            Some(last_error) if last_error.is_refusal() => KafkaError::Refused {
                brokers,
                protocol: self.protocol(),
                hint: last_error.hint(),
                reason: without_connection_details(&last_error.reason).to_owned(),
            },
            Some(last_error) => KafkaError::Unreachable { brokers, reason: last_error.reason },
            None => KafkaError::Unreachable { brokers, reason: otherwise() },
        }
    }
}

/// Removes the address of the broker from the beginning of librdkafka's message, and the duration and the connection
/// state from its end.
fn without_connection_details(reason: &str) -> &str {
    let reason =
        reason.split_once("://").and_then(|(_, rest)| rest.split_once(": ")).map_or(reason, |(_, rest)| rest);
    reason.split_once(" (after ").map_or(reason, |(reason, _)| reason)
}
