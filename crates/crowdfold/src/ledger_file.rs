//! Formats the ledger as JSON. Its counts are exact, so the file must be protected like the input.

use crowdfold_engine::{Ledger, Released};
use crowdfold_model::Reason;
use serde::Serialize;

#[derive(Serialize)]
struct File<'a> {
    beacons: Beacons<'a>,
    session_windows: Pair,
    windows: Pair,
    balanced: bool,
}

#[derive(Serialize)]
struct Beacons<'a> {
    read: u64,
    released: u64,
    withheld: u64,
    late: u64,
    duplicate: u64,
    opted_out: u64,
    excluded: u64,
    #[serde(serialize_with = "by_reason")]
    rejected: &'a [u64; Reason::COUNT],
}

#[derive(Serialize)]
struct Pair {
    released: u64,
    withheld: u64,
}

impl From<Released> for Pair {
    fn from(counts: Released) -> Self {
        Self { released: counts.released, withheld: counts.withheld }
    }
}

fn by_reason<S: serde::Serializer>(rejected: &&[u64; Reason::COUNT], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(Reason::ALL.iter().map(|reason| (reason.name(), rejected[*reason as usize])))
}

/// Formats the ledger as one JSON object and a line break.
#[must_use]
pub(crate) fn text(ledger: &Ledger) -> String {
    let Ledger { counts, merged } = ledger;
    let file = File {
        beacons: Beacons {
            read: counts.read,
            released: merged.beacons.released,
            withheld: merged.beacons.withheld,
            late: counts.late,
            duplicate: counts.duplicate,
            opted_out: counts.opted_out,
            excluded: counts.excluded,
            rejected: &counts.rejected,
        },
        session_windows: merged.session_windows.into(),
        windows: merged.windows.into(),
        balanced: ledger.balanced(),
    };
    // Serialization cannot fail, because the value consists of numbers, names and a boolean.
    serde_json::to_string(&file).unwrap_or_default() + "\n"
}
