//! Attack 6: two windows with the same sessions, except for one session that is new in the second window. The attacker
//! knows all other sessions. Exact session counts reveal the rows of the new session, and noise hides its activity.

use crate::bench;
use crate::product;
use crate::random::Random;
use crate::rows::Published;
use crate::scenario::{Rules, Scenario, Session};
use crate::traffic::TABLES;

/// The result of an attack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    /// The number of attacked tables.
    pub(crate) tables: u64,
    /// The number of tables in which exactly one row has one session more, and this row contains the new session.
    pub(crate) named: u64,
    /// The number of guesses about the startup of the new session (failed or not), and the number of correct guesses.
    /// Half of the new sessions fail to start.
    pub(crate) asked: u64,
    pub(crate) right: u64,
}

/// The index of the field `startup_failures`.
const FAILED: usize = 2;

/// Attacks a number of new sessions. The rows come from the program, or without noise from [`bench`](crate::bench).
pub(crate) fn run(live: usize, rules: Rules, arrivals: u64, random: &mut Random) -> Score {
    let policy = (rules.noise > 0).then(|| product::policy(&rules, [6; 32]));
    let publish = |scenario: &Scenario, random: &mut Random| {
        let rollups = match &policy {
            Some(policy) => product::publish(scenario, policy),
            None => bench::publish(scenario, random),
        };
        Published::read(&rollups)
    };
    let mut score = Score::default();
    for _ in 0..arrivals {
        let before: Vec<_> = (0..live).map(|_| Session::draw(random)).collect();
        let mut new = Session::draw(random);
        new.activity.sums.startup_failures = u64::from(random.chance(0.5));
        let now: Vec<_> = before.iter().cloned().chain([new]).collect();
        let before = Scenario::new(before, rules);
        let now = Scenario::new(now, rules);
        let (first, second) = (publish(&before, random), publish(&now, random));
        for table in (0..TABLES.len()).filter(|table| *table != rules.detail) {
            score.tables += 1;
            let grown = |row: &&crate::rows::Row| {
                let same = first.tables[table].rows.iter().find(|other| other.cell_key == row.cell_key);
                same.is_none_or(|other| other.sessions + 1 == row.sessions)
            };
            let grown: Vec<_> = second.tables[table].rows.iter().filter(grown).collect();
            let folded = &now.tables[table];
            let truth = folded.row_of(live);
            let [row] = grown[..] else { continue };
            score.named += u64::from(row.cell_key[..] == folded.rows[truth].cell_key[..]);
            // The attacker knows all other sessions of the row and their activity.
            let Some(fields) = row.fields else { continue };
            let others = folded.rows[truth].adds[FAILED] - now.adds[live][FAILED];
            score.asked += 1;
            let is_failed = fields[FAILED] - others as f64 > 0.5;
            score.right += u64::from(is_failed == (now.adds[live][FAILED] == 1));
        }
    }
    score
}
