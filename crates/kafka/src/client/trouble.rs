//! A cluster that is not there, told from one that does not let us in or that we do not trust.

use rdkafka::error::RDKafkaErrorCode;

use super::ClientSettings;
use crate::Error;

/// Trouble with the brokers, in librdkafka's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) reason: String,
}

impl Trouble {
    /// Whether trying again would mend nothing: it is about who we are, or who they are.
    fn is_refusal(&self) -> bool {
        use RDKafkaErrorCode as C;
        match self.code {
            C::Authentication | C::SaslAuthenticationFailed | C::UnsupportedSASLMechanism => true,
            // a broker that goes in the middle of it says just this
            C::SSL => !self.reason.contains("Disconnected"),
            // with TLS 1.3 a broker looks at our certificate when we think all is done
            _ => self.reason.contains(ALERT),
        }
    }

    /// What to look at, where librdkafka does not say it.
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

/// How OpenSSL calls a peer's last word.
const ALERT: &str = "alert";

impl ClientSettings {
    /// What keeps us from the cluster: the last trouble there was, or else something else.
    pub(crate) fn away(&self, trouble: Option<Trouble>, otherwise: impl FnOnce() -> String) -> Error {
        let brokers = self.brokers.clone();
        match trouble {
            Some(trouble) if trouble.is_refusal() => Error::Refused {
                brokers,
                protocol: self.protocol(),
                hint: trouble.hint(),
                reason: plain(&trouble.reason).to_owned(),
            },
            Some(trouble) => Error::Unreachable { brokers, reason: trouble.reason },
            None => Error::Unreachable { brokers, reason: otherwise() },
        }
    }
}

/// Without the broker's address before it, and how often it was after it.
fn plain(reason: &str) -> &str {
    let reason =
        reason.split_once("://").and_then(|(_, rest)| rest.split_once(": ")).map_or(reason, |(_, rest)| rest);
    reason.split_once(" (after ").map_or(reason, |(reason, _)| reason)
}
