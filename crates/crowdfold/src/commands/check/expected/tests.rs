use super::*;
use crowdfold_config::{Override, Sources};

fn printed(live: u64, flags: &[(&'static str, &str)]) -> String {
    let flags =
        flags.iter().map(|(key, value)| Override { key, value: (*value).into(), flag: "--test" }).collect();
    let config = Config::load(&Sources { flags, host: "host-1".into(), ..Sources::default() }).unwrap();
    let mut out = Vec::new();
    print(&config, live, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Returns the numbers of a field in the printed description of a table.
fn numbers(text: &str, table: &str, field: &str) -> Vec<String> {
    let after = &text[text.find(&format!("# {table}, ")).unwrap()..];
    let line =
        after.lines().find(|line| line.trim_start_matches('#').trim_start().starts_with(field)).unwrap();
    line.split_whitespace().skip(2).filter(|word| *word != "±").map(String::from).collect()
}

/// Returns the expected value of a field in one window, divided by the number of sessions of the row.
fn mean(text: &str, table: &str, field: &str) -> f64 {
    let sum: f64 = numbers(text, table, field)[0].parse().unwrap();
    let mut lines = text[text.find(&format!("# {table}, ")).unwrap()..].lines();
    let header = lines.find(|line| line.contains("row of ")).unwrap();
    sum / header.split_whitespace().nth(3).unwrap().parse::<f64>().unwrap()
}

#[test]
fn every_table_is_described_and_all_except_the_detail_table_have_standard_errors() {
    let text = printed(3_000, &[]);
    for table in ["country.asn", "device.os.browser", "player.player_version", "stream.format.content"] {
        assert!(text.contains(&format!("# {table}, a window of 1m: ")), "{table}: {text}");
        assert_eq!(numbers(&text, table, "playing_ms").len(), 4, "{text}");
    }
    assert!(text.contains("#   the detail table: every number is exact\n"), "{text}");
    let exact = numbers(&text, "cdn.connection", "playing_ms");
    assert_eq!([&exact[1], &exact[3]], ["exact", "exact"], "{text}");
}

/// Many synthetic players have a bandwidth above the clamp. Their playing time in a window is never above the clamp. But
/// it is the last field that uses the contribution budget, so some sessions have no budget left for it.
#[test]
fn expected_values_of_tables_with_noise_are_clamped_and_within_the_budget() {
    let text = printed(3_000, &[("release.breakdowns", r#"[["stream"], ["cdn"]]"#)]);
    let [clamped, exact] = ["stream", "cdn"].map(|table| mean(&text, table, "bandwidth_kbps"));
    assert!(clamped > 10_000.0 && clamped < 30_000.0 && exact > clamped * 1.05, "{clamped} {exact}: {text}");
    let [bounded, exact] = ["stream", "cdn"].map(|table| mean(&text, table, "playing_ms"));
    assert!(exact > bounded * 1.001 && exact < bounded * 1.06, "{bounded} {exact}: {text}");
}

/// A synthetic player plays during more than 45 of 60 seconds, on average over all sessions of a window.
#[test]
fn expected_playing_time_is_that_of_players_that_have_played_before() {
    let text = printed(3_000, &[("release.breakdowns", r#"[["stream"], ["cdn"]]"#)]);
    let playing = mean(&text, "cdn", "playing_ms");
    assert!((45_000.0..56_000.0).contains(&playing), "{text}");
}

/// For an hour, the relative standard error is smaller than for a minute by a factor of √60.
#[test]
fn relative_error_is_noise_divided_by_the_expected_sum() {
    let text =
        printed(3_000, &[("release.breakdowns", r#"[["stream"], ["cdn"]]"#), ("release.noise", "100")]);
    let share = |word: &String| word.trim_end_matches('%').parse::<f64>().unwrap();
    let [window, error, hour, hours] = &numbers(&text, "stream", "playing_ms")[..] else { panic!("{text}") };
    let (window, hour) = (window.parse::<f64>().unwrap(), hour.parse::<f64>().unwrap());
    assert!((hour / window - 60.0).abs() < 0.01, "{text}");
    assert!((share(error) - 100.0 * 100.0 * 60_000.0 / window).abs() < 0.06, "{text}");
    assert!((share(error) / share(hours) - 60_f64.sqrt()).abs() < 1.0, "{text}");
    assert!(text.contains("startup_failures"), "{text}");
    assert!(text.contains("make this breakdown the detail table (release.detail_breakdown)"), "{text}");
}

#[test]
fn expected_rows_and_the_suggested_window_length_depend_on_the_number_of_sessions() {
    let text = printed(30, &[]);
    assert!(
        text.contains("# country.asn, a window of 1m: no rows, because there are fewer than 50 sessions\n"),
        "{text}"
    );
    assert!(!text.contains("noise"), "no number is shown: {text}");
    assert!(text.contains("only 0.0% of sessions keep all values in country.asn"), "{text}");
    let suggested =
        |live| printed(live, &[("release.breakdowns", r#"[["device", "os", "browser"], ["cdn"]]"#)]);
    assert!(suggested(1_000).contains("# Set windows.length = \""), "{}", suggested(1_000));
    assert!(suggested(40_000).contains("# In windows of 1m, at least 90% of sessions keep all values"));
}

/// The margin makes rows coarser. With the default breakdowns, the share of sessions that keep all values becomes lower
/// by 1.3 percentage points at 1,000 live sessions, on average over the tables, and by less with more sessions.
#[test]
fn margin_costs_few_complete_labels() {
    let kept = |live, margin| {
        let text = printed(live, &[("release.margin", margin), ("release.allow_small_k", "true")]);
        let shares = text.lines().filter_map(|line| line.strip_suffix("% of sessions keep all values"));
        let shares: Vec<f64> = shares.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert_eq!(shares.len(), 5, "{text}");
        shares.iter().sum::<f64>() / 5.0
    };
    for (live, most) in [(300, 0.5), (1_000, 2.0), (3_000, 0.5), (10_000, 0.5)] {
        let (with, without) = (kept(live, "10"), kept(live, "0"));
        assert!(with <= without && without - with < most, "{live}: {with} with a margin, {without} without");
    }
    assert!(kept(1_000, "10") < kept(1_000, "0"), "the margin has an effect");
}

#[test]
fn expected_values_beyond_the_simulated_number_of_sessions_grow_in_proportion_to_sessions() {
    let one = |live| {
        let text = printed(live, &[("release.breakdowns", r#"[["stream"], ["cdn"]]"#)]);
        numbers(&text, "stream", "playing_ms")[0].parse::<f64>().unwrap() / live as f64
    };
    let (small, large) = (one(50_000), one(5_000_000));
    assert!((small / large - 1.0).abs() < 0.01, "{small} {large}");
}

#[test]
fn breakdown_with_a_dimension_that_synthetic_players_do_not_report_has_no_expected_rows() {
    let flags = [("release.breakdowns", r#"[["network"], ["cdn"]]"#), ("address.policy", "truncate")];
    assert!(printed(3_000, &flags).contains("a dimension that synthetic players do not report"));
}
