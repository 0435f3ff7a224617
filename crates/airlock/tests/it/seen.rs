//! Outcomes in a form that tests can compare and print. The form is needed because an observation does not implement
//! `Debug`.

use std::sync::Arc;

use crowdfold_airlock::{
    Airlock, Identity, Measures, Observation, Playback, Record, SessionHasher, Settings, Shared,
};
use crowdfold_model::{Dimension, Reason, Timestamp};

/// All values of an observation, with words in place of symbols.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) session_hash: u64,
    pub(crate) tenant: u16,
    pub(crate) event_time: Timestamp,
    pub(crate) words: Vec<String>,
    pub(crate) measures: Measures,
    pub(crate) playback: Option<Playback>,
    pub(crate) identity: Option<Identity>,
    pub(crate) opt_out: bool,
    pub(crate) excluded: bool,
    pub(crate) network_bit: u64,
}

impl Seen {
    pub(crate) fn word(&self, dimension: Dimension) -> &str {
        &self.words[dimension.index()]
    }
}

pub(crate) type Outcome = (Option<Timestamp>, Result<Seen, Reason>);

pub(crate) fn airlock(settings: Settings) -> Airlock {
    Airlock::new(&Arc::new(Shared::new(settings, SessionHasher::fixed(7)).expect("valid settings")), None)
}

pub(crate) fn admit(airlock: &mut Airlock, payload: &[u8], timestamp: Option<Timestamp>) -> Vec<Outcome> {
    admit_record(airlock, &Record { payload, content_type: None, timestamp })
}

pub(crate) fn admit_record(airlock: &mut Airlock, record: &Record<'_>) -> Vec<Outcome> {
    let mut outcomes: Vec<(Option<Timestamp>, Result<Observation, Reason>)> = Vec::new();
    airlock.admit(record, &mut |time, outcome| {
        outcomes.push((time, outcome.map_err(|rejection| rejection.reason)))
    });
    outcomes
        .into_iter()
        .map(|(time, outcome)| (time, outcome.map(|observation| seen(airlock, &observation))))
        .collect()
}

fn seen(airlock: &Airlock, observation: &Observation) -> Seen {
    let word = |index| airlock.dictionary().word(observation.dimension_at(index)).to_string();
    Seen {
        session_hash: observation.session_hash().get(),
        tenant: observation.tenant().0,
        event_time: observation.event_time(),
        words: (0..Dimension::COUNT).map(word).collect(),
        measures: *observation.measures(),
        playback: observation.playback().cloned(),
        identity: observation.identity(),
        opt_out: observation.opt_out(),
        excluded: observation.excluded(),
        network_bit: observation.network_bit(),
    }
}
