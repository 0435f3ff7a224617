//! Tests of invariant 8. The ledger counts every beacon and every session-window exactly once, and equals the ledger of
//! the oracle. `tests/it/worker/end_to_end.rs` tests the exported counts on a real broker.

use crowdfold_engine::Ledger;
use crowdfold_model::Reason;
use crowdfold_random::Random;
use crowdfold_testkit::oracle;

use crate::oracle::{log, operators, settings};

const SCENARIOS: u64 = 4_000;

#[test]
fn invariant_8_every_beacon_and_session_window_is_accounted_for() {
    let mut beacons_seen = 0;
    for seed in 0..SCENARIOS {
        let mut dice = Random::new(seed);
        let settings = settings(&mut dice);
        let logs: Vec<_> =
            (0..1 + dice.below(3)).map(|partition| log(partition as usize, &mut dice)).collect();
        let expected = oracle::evaluate(&logs, &settings).ledger;
        let (_, ledger) = operators(&logs, &settings);
        assert!(ledger.balanced() && expected.balanced(), "seed {seed}");
        let Ledger { counts, merged } = &ledger;
        let beacons = &expected.beacons;
        let outcomes = [counts.read, counts.late, counts.duplicate, counts.opted_out, counts.excluded];
        let theirs = [beacons.read, beacons.late, beacons.duplicate, beacons.opted_out, beacons.excluded];
        assert_eq!(outcomes, theirs, "seed {seed}: read, late, duplicate, opted out, excluded");
        for reason in Reason::ALL {
            let theirs = beacons.rejected.get(reason.name()).copied().unwrap_or(0);
            assert_eq!(counts.rejected[reason as usize], theirs, "seed {seed}: {}", reason.name());
        }
        let released_and_withheld = |released, withheld| oracle::Released { released, withheld };
        assert_eq!(
            released_and_withheld(merged.beacons.released, merged.beacons.withheld),
            released_and_withheld(beacons.released, beacons.withheld),
            "seed {seed}: beacons"
        );
        let session_windows =
            released_and_withheld(merged.session_windows.released, merged.session_windows.withheld);
        assert_eq!(session_windows, expected.session_windows, "seed {seed}: session-windows");
        beacons_seen += beacons.read;
    }
    assert!(beacons_seen > 50_000, "{beacons_seen} beacons are too few");
}
