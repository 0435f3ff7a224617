//! Attack 5: fake sessions beside real ones. An attacker who sends a crowd of fakes with one cell key learns the number
//! of real sessions with that cell key. If there are too few fakes for a crowd, they are part of a small rest. In that
//! case, they reduce the number of possible sizes of the rest.

use std::collections::BTreeSet;

use crate::intervals::{rests, stars};
use crate::product;
use crate::random::Random;
use crate::rows::Published;
use crate::scenario::{Rules, Scenario, Session};
use crate::traffic::{Activity, TABLES};

/// The result of an attack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Score {
    /// The number of small groups to which fakes were added.
    pub(crate) groups: u64,
    /// The number of groups whose exact number of real sessions the attacker learns.
    pub(crate) exact: u64,
    /// The number of other groups for which the attacker learns the number of real sessions to within ±1. `within_3` is
    /// the same for ±3.
    pub(crate) within_1: u64,
    pub(crate) within_3: u64,
}

/// An attack with fakes.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) live: usize,
    pub(crate) rules: Rules,
    pub(crate) fakes: u64,
    /// The number of networks from which the fakes come.
    pub(crate) networks: u64,
    /// The minimum number of networks of a row, if there is one.
    pub(crate) guard: Option<u32>,
    pub(crate) groups: u64,
}

impl Attack {
    pub(crate) fn run(&self, random: &mut Random) -> Score {
        let mut score = Score::default();
        let policy = product::guarded(&self.rules, [9; 32], self.guard);
        while score.groups < self.groups {
            let scenario = Scenario::ordinary(self.live, self.rules, random);
            let table = random.below(TABLES.len() as u64) as usize;
            let small: Vec<_> =
                scenario.tables[table].leaves.iter().filter(|leaf| leaf.sessions < self.rules.k).collect();
            if small.is_empty() {
                continue;
            }
            let leaf = small[random.below(small.len() as u64) as usize];
            let (cell_key, real) = (leaf.cell_key.clone(), leaf.sessions);
            let fake = scenario.sessions.iter().find(|one| one.profile.cell_keys[table] == cell_key).cloned();
            let fake = fake.into_iter().flat_map(|one| {
                let one = Session { activity: Activity::default(), ..one };
                (0..self.fakes).map(move |at| Session { network: (at % self.networks) as u32, ..one.clone() })
            });
            let sessions = scenario.sessions.iter().cloned().chain(fake).collect();
            let published = Published::read(&product::publish(&Scenario::new(sessions, self.rules), &policy));
            score.groups += 1;
            let rows = &published.tables[table].rows;
            match rows.iter().find(|row| row.cell_key[..] == cell_key[..]) {
                Some(row) => score.exact += u64::from(row.sessions - self.fakes == real),
                None => self.narrow(&published, table, &cell_key, &mut score),
            }
        }
        score
    }

    /// Computes bounds for a group whose fakes were folded. The fakes are in the lowest star row above the cell key of
    /// the group. The rest in this row consists of the fakes and of real sessions.
    fn narrow(&self, published: &Published, table: usize, cell_key: &[String], score: &mut Score) {
        let table = &published.tables[table];
        let depth = |at: usize| table.rows[at].cell_key.iter().position(|value| value == "*").unwrap_or(0);
        let above = |at: &usize| table.rows[*at].cell_key[..depth(*at)] == cell_key[..depth(*at)];
        let star = stars(table).into_iter().filter(|(at, _)| above(at)).max_by_key(|(at, _)| depth(*at));
        let Some((_, star)) = star.filter(|(_, star)| star.sessions < 300) else { return };
        let rest = rests(star, published.k, published.margin, None);
        let real: BTreeSet<u64> = rest.into_iter().filter_map(|rest| rest.checked_sub(self.fakes)).collect();
        let width = real.last().zip(real.first()).map(|(last, first)| last - first + 1);
        score.within_1 += u64::from(width.is_some_and(|width| width <= 3));
        score.within_3 += u64::from(width.is_some_and(|width| width <= 7));
    }
}
