//! Tests of the tables of two tenants, one of which has its own breakdowns.

use crowdfold_model::Dimension::{Browser, Cdn, Os};

use super::*;
use crowdfold_model::{Breakdowns, Qualities};

/// Returns the cells of each table of a tenant, as pairs of a key and a number of sessions.
fn tables(closed: &ClosedWindow, tenant: u16) -> Vec<Vec<(String, u64)>> {
    let cells =
        |table: &crowdfold_model::Table| table.iter().map(|(l, cell)| (l.join("/"), cell.sessions)).collect();
    closed.tenants[&tenant].iter().map(cells).collect()
}

#[test]
fn tables_of_each_tenant_follow_its_own_breakdowns() {
    let tenants = ["acme", "beta", "like"].map(String::from).to_vec();
    let own = || vec![vec![Browser, Cdn], vec![Os]];
    let breakdowns = Breakdowns::new(vec![vec![Cdn]], [("beta".into(), own()), ("like".into(), own())]);
    let rules = Rules {
        window: Span::SECOND.times(10),
        lateness: Span::SECOND.times(5),
        idle: Span::SECOND.times(15),
        breakdowns,
        qualities: Qualities::default(),
        max_sessions: 10,
    };
    let admit = Settings { tenants: tenants.clone(), default_tenant: 0, ..Settings::default() };
    let shared = Shared::new(admit, SessionHasher::fixed(1)).unwrap();
    let mut rig = Rig {
        airlock: Airlock::new(&Arc::new(shared), None),
        store: SessionStore::new(Arc::new(rules), &tenants, Timestamp::EPOCH),
    };
    for (session, tenant) in [(1, "acme"), (2, "acme"), (3, "beta"), (4, "beta"), (5, "like")] {
        let cdn = if session % 2 == 0 { "a" } else { "b" };
        let fields = format!(r#","tenant":"{tenant}","cdn":"{cdn}","browser":"Chrome","os":"Linux""#);
        assert_eq!(rig.beacon(session, 0, &fields), Outcome::Inserted);
    }
    let closed = rig.store.close(Timestamp::from_millis(T0 + 10_000), rig.airlock.dictionary()).remove(0);
    let cell = |cell_key: &str, sessions| (cell_key.to_owned(), sessions);
    assert_eq!(tables(&closed, 0), [vec![cell("a", 1), cell("b", 1)]]);
    assert_eq!(tables(&closed, 1), [vec![cell("Chrome/a", 1), cell("Chrome/b", 1)], vec![cell("Linux", 2)]]);
    assert_eq!(tables(&closed, 2), [vec![cell("Chrome/b", 1)], vec![cell("Linux", 1)]]);
}
