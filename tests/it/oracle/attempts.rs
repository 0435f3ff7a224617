//! Asserts the relations between attempts, plays, failures and exits, on random logs of one session that reports in one
//! way. `docs/reference/metrics.md` contains these relations.

use std::collections::BTreeSet;

use super::*;

const SESSIONS: u64 = 8_000;

/// A log that begins with a start or a first frame, and that is at most `sessions.idle_timeout` long. Nothing in it is
/// late, repeated or opted out.
struct OneSession {
    log: Vec<oracle::Record>,
    /// True if a start, a first frame or a failure is in another window than an end. The attempt that ended may then
    /// count as a play or as a failure, in addition to its exit.
    continues: bool,
}

impl OneSession {
    fn random(settings: &oracle::Settings, dice: &mut Random) -> Self {
        let mode = dice.pick(&["json", "events", "requests"]);
        let begin = START + dice.below(20_000);
        let mut now = begin;
        let (mut log, mut times) = (Vec::new(), BTreeSet::new());
        // For each report: its window, and its content.
        let mut reports: Vec<(u64, String)> = Vec::new();
        for number in 0..=dice.below(14) {
            if number > 0 {
                let most = if dice.one_in(3) { settings.idle / 4 } else { 1_500 };
                now += 1 + dice.below(most);
            }
            // Requests have the time of their record.
            let delay = if mode == "requests" { 0 } else { dice.below(settings.lateness + 1) };
            let ts = now - delay;
            if now > begin + settings.idle || !times.insert(ts) {
                continue;
            }
            let first = (number == 0).then(|| dice.one_in(2));
            let payload = match mode {
                "json" => beacon(ts, first, dice),
                "events" => format!("e=ps,ts={ts},v=2,sid=\"one\",sn={number}{}", states(first, dice)),
                _ => format!("CMCD=sid=\"one\",sn={number},ot=v{}", states(first, dice)),
            };
            reports.push((ts / settings.window, payload.clone()));
            log.push(oracle::Record { timestamp: Some(now), payload: payload.into() });
        }
        let ends: Vec<_> =
            reports.iter().filter(|(_, text)| is_any_of(text, &["\"end\"", "sta=q"])).collect();
        let continues = reports
            .iter()
            .filter(|(_, text)| is_any_of(text, &ASSERTIONS))
            .any(|(window, _)| ends.iter().any(|(end, _)| end != window));
        Self { log, continues }
    }
}

/// The parts of a beacon that report a start, a first frame or a failure.
const ASSERTIONS: [&str; 9] =
    ["\"attempt\"", "\"play\"", "startup_ms", "playing_ms", "fatal", "sta=s", "sta=p", "sta=f", "msd"];

fn is_any_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Returns a random JSON beacon. `first` is true for a start, and false for a first frame.
fn beacon(ts: u64, first: Option<bool>, dice: &mut Random) -> String {
    let event = match first {
        Some(true) => "attempt",
        Some(false) => "play",
        None => dice.pick(&["attempt", "attempt", "play", "heartbeat", "heartbeat", "error", "end", "end"]),
    };
    let mut beacon = format!(r#"{{"ts":{ts},"session":"one","event":"{event}""#);
    for (field, rarity) in [
        (r#""startup_ms":700"#, 8),
        (r#""playing_ms":300"#, 4),
        (r#""playing_ms":20"#, 20),
        (r#""error":"network","fatal":true"#, 4),
        (r#""error":"media""#, 20),
    ] {
        if dice.one_in(rarity) && !beacon.contains(field.split(':').next().unwrap()) {
            beacon += &format!(",{field}");
        }
    }
    beacon + "}"
}

/// Returns a random state as CMCD, or the time to the first frame without a state.
fn states(first: Option<bool>, dice: &mut Random) -> String {
    let state = match first {
        Some(true) => "s",
        Some(false) => "p",
        None if dice.one_in(12) => return ",msd=800".into(),
        None => dice.pick(&["s", "s", "p", "p", "f", "f", "a", "e", "q", "q", "r", "w", "k", "d"]),
    };
    let startup = if dice.one_in(8) { ",msd=900" } else { "" };
    format!(",sta={state}{startup}")
}

/// Returns the sums of attempts, plays, startup failures, playback failures and exits in the detail table.
fn sums(rows: &[Value]) -> [u64; 5] {
    let rows: Vec<_> = rows.iter().filter(|row| row["detail"] == true).collect();
    ["attempts", "plays", "startup_failures", "playback_failures", "exits_before_start"]
        .map(|field| rows.iter().map(|row| row[field].as_u64().unwrap()).sum())
}

#[test]
fn plays_failures_and_exits_do_not_exceed_attempts() {
    let mut seen = [0; 5];
    let mut exits_compared = 0;
    for seed in 0..SESSIONS {
        let mut dice = Random::new(seed);
        let settings = oracle::Settings {
            whole_history: true,
            child_directed_tenants: vec![],
            k: 1,
            margin: None,
            own: BTreeMap::new(),
            detail: oracle::Detail::Last,
            breakdowns: strings(&[&["os"]]),
            ..settings(&mut dice)
        };
        let OneSession { log, continues } = OneSession::random(&settings, &mut dice);
        let logs = [log];
        let (rows, ledger) = operators(&logs, &settings);
        let expected = oracle::evaluate(&logs, &settings).rollups(&settings);
        assert_eq!(ledger.counts.read, logs[0].len() as u64, "seed {seed}");
        assert_eq!(ledger.counts.without_summary(), 0, "seed {seed}: a beacon has another outcome");
        for (result, rows) in [("operators", &rows), ("oracle", &expected)] {
            let all @ [attempts, plays, startup, playback, exits] = sums(rows);
            assert!(plays + startup <= attempts, "seed {seed}, {result}: {all:?}");
            assert!(playback <= plays, "seed {seed}, {result}: {all:?}");
            assert!(continues || plays + startup + exits <= attempts, "seed {seed}, {result}: {all:?}");
            seen.iter_mut().zip(all).for_each(|(seen, more)| *seen += more);
            exits_compared += if continues { 0 } else { exits };
        }
    }
    assert!(seen.iter().all(|count| *count > 1_000), "{seen:?}");
    assert!(exits_compared > 300, "{exits_compared} exits are too few");
}
