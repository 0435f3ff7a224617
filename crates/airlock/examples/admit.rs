//! Admits one beacon, and prints its observation: `cargo run -p crowdfold-airlock --example admit`.

use std::sync::Arc;

use crowdfold_airlock::{Airlock, AirlockError, Record, SessionHasher, Settings, Shared};
use crowdfold_model::{Dimension, SumMetric};

/// A beacon of a player, with an address, a session id and a user agent.
const BEACON: &str = r#"{"ts":1795308528421,"session":"bbb27941-6c1f","ip":"203.0.113.9","event":"heartbeat",
 "user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
 "cdn":"cdn-a","playing_ms":9960,"stalled_ms":0}"#;

/// Admits a record. Returns a line for each outcome: the values of the observation, or the reason of the rejection.
fn admit(payload: &[u8]) -> Result<Vec<String>, AirlockError> {
    let shared = Arc::new(Shared::new(Settings::default(), SessionHasher::random())?);
    let mut airlock = Airlock::new(&shared, None);
    let mut outcomes = Vec::new();
    let record = Record { payload, content_type: None, timestamp: None };
    airlock.admit(&record, &mut |_, outcome| outcomes.push(outcome));
    let lines = outcomes.into_iter().map(|outcome| match outcome {
        Err(rejection) => format!("rejected: {}", rejection.reason.name()),
        Ok(observation) => {
            let values = Dimension::ALL.into_iter().filter_map(|dimension| {
                let symbol = observation.dimension(dimension);
                let value = airlock.dictionary().word(symbol);
                symbol.is_some().then(|| format!("{}={value}", dimension.name()))
            });
            let values = values.collect::<Vec<_>>().join(" ");
            format!("observed: {values} playing_ms={}", observation.measures().sum(SumMetric::PlayingMs))
        }
    });
    Ok(lines.collect())
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() -> Result<(), AirlockError> {
    for line in admit(BEACON.as_bytes())?.iter().chain(&admit(b"no beacon")?) {
        println!("{line}");
    }
    Ok(())
}

#[test]
fn address_session_and_user_agent_are_dropped() {
    let lines = admit(BEACON.as_bytes()).unwrap();
    let expected =
        "observed: device=desktop os=Linux browser=Chrome browser_version=147 cdn=cdn-a playing_ms=10000";
    assert_eq!(lines, [expected]);
}

#[test]
fn invalid_record_is_rejected_with_a_reason() {
    assert_eq!(admit(b"no beacon").unwrap(), ["rejected: malformed"]);
    assert_eq!(admit(br#"{"ts":1795308528421}"#).unwrap(), ["rejected: no_session"]);
}
