//! Tests of tenants with their own policies. The tenant `acme` has two tables, and its rows have at least three
//! sessions. All other tenants have one table, and rows of at least two sessions.

use crowdfold_model::Dimension::{Cdn, Os};

use super::*;

fn policy(k: u64, breakdowns: Vec<Vec<Dimension>>) -> Policy {
    let settings = PolicySettings { k, allow_small_k: true, breakdowns, ..PolicySettings::default() };
    Policy::threshold(settings).unwrap()
}

fn with_acme(k: u64, breakdowns: Vec<Vec<Dimension>>) -> Arc<MergerSettings> {
    let policies = Policies::new(policy(2, vec![vec![Cdn]]), [("acme".into(), policy(k, breakdowns))]);
    let plain = settings(2);
    let rules = Rules { breakdowns: policies.breakdowns(), ..(*plain.rules).clone() };
    Arc::new(MergerSettings { rules: Arc::new(rules), policies, ..(*plain).clone() })
}

fn two_tables() -> Vec<Vec<Dimension>> {
    vec![vec![Os], vec![Cdn]]
}

impl Rig {
    fn with(settings: Arc<MergerSettings>) -> Self {
        Self { merger: Merger::new(settings, &fresh(), 0, Timestamp::EPOCH), ..Self::new() }
    }

    /// Passes chunks with these tables, and a close marker. Each entry of `tables` contains the tenant, the index of
    /// the breakdown, and the number of sessions.
    fn close_tables(&mut self, number: u64, tables: &[(&str, u16, u64)]) {
        let mut checksum = crc32fast::Hasher::new();
        let chunks = tables.iter().flat_map(|(tenant, breakdown, sessions)| {
            wire::chunks(0, Window::at(end(number - 1), W), tenant, *breakdown, &table(*sessions))
        });
        let chunks: Vec<_> = chunks.collect();
        chunks.iter().for_each(|chunk| checksum.update(chunk));
        let layout_fingerprint = self.merger.settings.rules.layout_fingerprint(1, 1);
        let marker = CloseMarker {
            layout_fingerprint,
            chunks: chunks.len() as u32,
            checksum: checksum.finalize(),
            ..close_marker(0, 1, number - 1, number)
        };
        chunks.into_iter().for_each(|chunk| self.push(chunk));
        self.push(wire::close_marker(&marker));
    }

    /// Returns the tenant, the breakdown and the number of sessions of each published row.
    fn published(&mut self) -> Vec<(String, String, u64)> {
        let from = self.rows.len();
        self.publish();
        let row = |text: &String| {
            let row: serde_json::Value = serde_json::from_str(text).unwrap();
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (text(&row["tenant"]), text(&row["breakdown"][0]), row["sessions"].as_u64().unwrap())
        };
        self.rows[from..].iter().map(row).collect()
    }
}

fn row(tenant: &str, breakdown: &str, sessions: u64) -> (String, String, u64) {
    (tenant.into(), breakdown.into(), sessions)
}

#[test]
fn each_tenant_is_released_by_its_own_policy() {
    let mut rig = Rig::with(with_acme(3, two_tables()));
    rig.close_tables(1, &[("acme", 0, 2), ("acme", 1, 2), ("beta", 0, 2)]);
    assert_eq!(rig.published(), [row("beta", "cdn", 2)], "two sessions are below the k of acme");
    rig.close_tables(2, &[("acme", 0, 3), ("acme", 1, 3), ("beta", 0, 1)]);
    assert_eq!(rig.published(), [row("acme", "os", 3), row("acme", "cdn", 3)]);
    let published = *rig.merger.merged();
    assert_eq!((published.session_windows.released, published.session_windows.withheld), (5, 3));
}

#[test]
fn chunk_of_an_unknown_breakdown_is_withheld() {
    let mut rig = Rig::with(with_acme(3, two_tables()));
    // Only `acme` has a second breakdown, so the second table of `beta` is withheld. The second table of `acme` is
    // missing.
    rig.close_tables(1, &[("acme", 0, 5), ("beta", 0, 4), ("beta", 1, 4)]);
    assert_eq!(rig.published(), [row("beta", "cdn", 4)]);
    assert_eq!(rig.merger.alarms().faults, 1, "the tables of a tenant must have equal totals");
}

#[test]
fn changed_policy_of_one_tenant_applies_from_the_next_window() {
    for other in [with_acme(4, two_tables()), with_acme(3, vec![vec![Cdn], vec![Os]]), settings(2)] {
        let mut rig = Rig::with(with_acme(3, two_tables()));
        rig.close_tables(1, &[("acme", 0, 9), ("acme", 1, 9)]);
        assert_eq!(rig.published().len(), 2);
        rig.close_tables(2, &[("acme", 0, 9), ("acme", 1, 9)]);
        rig.now = end(2) + MILLISECOND;
        rig.restart(other);
        assert_eq!(rig.published(), [], "the second window began before the change");
        let own = rig.merger.settings.rules.breakdowns.of("acme").len();
        let whole: Vec<_> = (0..own).map(|nth| ("acme", nth as u16, 9)).collect();
        rig.close_tables(3, &whole);
        assert_eq!(rig.published(), [], "this window also began before the change");
        rig.close_tables(4, &whole);
        assert_eq!(rig.published().len(), own);
    }
}
