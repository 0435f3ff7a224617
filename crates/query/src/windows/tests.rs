use crowdfold_model::{Span, Timestamp, Window};

use super::{TableFacts, WindowReport, WindowReports};

fn facts(tenant: &str, minute: u64, sessions: u64, folded: u64, smallest: u64) -> TableFacts {
    TableFacts {
        tenant: tenant.into(),
        breakdown: "os".into(),
        window: Window::at(Timestamp::from_millis(minute * 60_000), Span::MINUTE),
        sessions,
        folded,
        smallest,
        k: Some(50),
        is_incomplete: minute == 11,
    }
}

fn reports(tables: impl IntoIterator<Item = TableFacts>) -> Vec<WindowReport> {
    let (mut reports, mut published) = (WindowReports::default(), std::collections::BTreeSet::new());
    for facts in tables {
        published.insert(facts.window.start);
        reports.add(&facts);
    }
    reports.finish(&published)
}

#[test]
fn gap_of_one_tenant_is_withheld_and_gap_of_all_tenants_is_missing() {
    let tables = [10, 11, 13, 15].map(|minute| facts("acme", minute, 1_000, 100, 60 + minute));
    let others = [10, 15].map(|minute| facts("beta", minute, 100, 100, 100));
    let reports = reports(tables.into_iter().chain(others));
    let minutes = |starts: &[u64]| starts.iter().map(|start| start / 60_000).collect::<Vec<_>>();
    assert_eq!((&*reports[0].tenant, &*reports[1].tenant), ("acme", "beta"));
    assert_eq!(minutes(&reports[0].missing), [12, 14]);
    assert_eq!(minutes(&reports[0].withheld), Vec::<u64>::new());
    assert_eq!(minutes(&reports[0].incomplete), [11]);
    assert_eq!(minutes(&reports[1].missing), [12, 14]);
    assert_eq!(minutes(&reports[1].withheld), [11, 13]);
    assert_eq!((reports[0].newest, reports[0].published, reports[0].length_ms), (16 * 60_000, 4, 60_000));
    let table = &reports[0].tables[0];
    assert_eq!((table.smallest_row, table.folded_share, table.windows, table.k), (70, 0.1, 4, Some(50)));
}

#[test]
fn window_in_the_far_future_does_not_make_the_report_slow() {
    let mut late = facts("acme", 10, 100, 0, 100);
    late.window = Window { start: Timestamp::from_millis(u64::MAX - 60_000), end: Timestamp::MAX };
    let reports = reports([facts("acme", 10, 100, 0, 100), facts("acme", 11, 100, 0, 100), late]);
    assert_eq!(reports[0].missing.len(), 1_000);
}
