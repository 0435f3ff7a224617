//! Distinguishes a cluster that cannot be reached from one where authentication fails, either because it refuses the
//! client or because the client does not trust its certificate.

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
            // a broker that stops during the handshake also causes an SSL error, with the word "Disconnected"
            C::SSL => !self.reason.contains("Disconnected"),
            // with TLS 1.3 a broker checks the client certificate after the handshake, so the refusal has another
            // error code
            _ => self.reason.contains(ALERT),
        }
    }

    /// Returns the likely cause to append to librdkafka's message, or an empty string if the message names the cause.
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

/// The word in OpenSSL's messages for a TLS alert, with which a broker refuses a certificate.
const ALERT: &str = "alert";

impl ClientSettings {
    /// Returns the error for a cluster that does not respond. The reason in it is the last broker error; if there is
    /// none, `otherwise` returns it.
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

/// Removes the broker's address at the beginning of librdkafka's message, and the duration and connection state at
/// its end.
fn without_connection_details(reason: &str) -> &str {
    let reason =
        reason.split_once("://").and_then(|(_, rest)| rest.split_once(": ")).map_or(reason, |(_, rest)| rest);
    reason.split_once(" (after ").map_or(reason, |(reason, _)| reason)
}
