//! Distinguishes an unreachable cluster from one that refuses the client or that the client does not trust.

use rdkafka::error::RDKafkaErrorCode;

use super::ClientSettings;
use crate::KafkaError;

/// An error of a broker connection, as librdkafka reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokerError {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) reason: String,
}

impl BrokerError {
    /// Returns true if retrying is useless because authentication failed on either side.
    fn is_refusal(&self) -> bool {
        use RDKafkaErrorCode as C;
        match self.code {
            C::Authentication | C::SaslAuthenticationFailed | C::UnsupportedSASLMechanism => true,
            // a broker that stops during the handshake causes this error too
            C::SSL => !self.reason.contains("Disconnected"),
            // with TLS 1.3 a broker checks the client certificate after the client has finished the handshake
            _ => self.reason.contains(ALERT),
        }
    }

    /// Returns a hint if librdkafka's message does not name the cause.
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

/// The word with which OpenSSL reports an alert of the peer.
const ALERT: &str = "alert";

impl ClientSettings {
    /// Returns the error for an unreachable cluster, from the last broker error or otherwise from `otherwise`.
    pub(crate) fn away(
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
                reason: plain(&last_error.reason).to_owned(),
            },
            Some(last_error) => KafkaError::Unreachable { brokers, reason: last_error.reason },
            None => KafkaError::Unreachable { brokers, reason: otherwise() },
        }
    }
}

/// Removes the broker's address before the reason, and the repetition count after it.
fn plain(reason: &str) -> &str {
    let reason =
        reason.split_once("://").and_then(|(_, rest)| rest.split_once(": ")).map_or(reason, |(_, rest)| rest);
    reason.split_once(" (after ").map_or(reason, |(reason, _)| reason)
}
