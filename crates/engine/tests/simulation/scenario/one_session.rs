//! Generates scenarios of one session that reports in one way.

use super::*;

/// The parts of a beacon that report a start, a first frame or a failure.
const ASSERTIONS: [&str; 7] =
    ["\"attempt\"", "\"play\"", "playing_ms", "\"fatal\"", "sta=s", "sta=p", "sta=f"];

/// A source of reports.
#[derive(Clone, Copy)]
enum Mode {
    Json,
    Events,
    Requests,
}

impl Scenario {
    /// Returns a scenario whose only log begins with a start or a first frame, and is at most `sessions.idle_timeout`
    /// long. Nothing in the log is late, repeated or opted out. Also returns true if a start, a first frame or a failure
    /// is in another window than an end. The attempt that ended may then count as a play or as a failure, in addition
    /// to its exit.
    pub(crate) fn of_one_session(rng: &mut Random) -> (Self, bool) {
        let mut scenario = Self::random(rng);
        let idle = scenario.versions[0].rules.idle.as_millis();
        let mode = rng.pick(&[Mode::Json, Mode::Events, Mode::Requests]);
        let begin = START + rng.below(2 * WINDOW);
        let (mut now, mut log) = (begin, Vec::new());
        // For each report: its own time, and its content.
        let mut reports: Vec<(u64, String)> = Vec::new();
        for number in 0..=rng.below(14) {
            if number > 0 {
                now += 1 + if rng.one_in(3) { rng.below(idle / 4) } else { rng.below(1_500) };
            }
            let time = if matches!(mode, Mode::Requests) { now } else { now - rng.below(LATENESS + 1) };
            if now > begin + idle || reports.iter().any(|(other, _)| *other == time) {
                continue;
            }
            let report = mode.report(number, time, rng);
            reports.push((time, report.clone()));
            log.push(Record { timestamp: now, payload: report.into_bytes() });
        }
        // Another session ends the windows of the first one, without an attempt of its own.
        for later in [3, 6] {
            let ts = now + later * WINDOW;
            let payload = format!(r#"{{"ts":{ts},"session":"other","event":"heartbeat"}}"#).into_bytes();
            log.push(Record { timestamp: ts, payload });
        }
        let contains = |report: &str, words: &[&str]| words.iter().any(|word| report.contains(word));
        let windows = |words: &[&str]| -> Vec<u64> {
            let having = reports.iter().filter(|(_, report)| contains(report, words));
            having.map(|(time, _)| time / WINDOW).collect()
        };
        let (ends, others) = (windows(&["\"end\"", "sta=q"]), windows(&ASSERTIONS));
        let continues = ends.iter().any(|end| others.iter().any(|other| other != end));
        scenario.partitions = [1, 1];
        scenario.first = 0;
        scenario.beacons = log.len() as u64;
        scenario.logs = vec![log];
        (scenario, continues)
    }
}

impl Mode {
    /// Generates the report with this number. The first report is a start or a first frame.
    fn report(self, number: u64, time: u64, rng: &mut Random) -> String {
        let first = number == 0;
        let state = if first {
            rng.pick(&["s", "p"])
        } else {
            rng.pick(&["s", "s", "p", "p", "f", "f", "a", "e", "q", "q", "r", "k"])
        };
        match self {
            Self::Events => format!(r#"e=ps,ts={time},sid="one",sn={number},v=2,sta={state}"#),
            Self::Requests => format!(r#"CMCD=sid="one",sn={number},sta={state}"#),
            Self::Json => {
                let content = match state {
                    "s" => r#""attempt""#,
                    "p" if first || rng.one_in(2) => r#""play""#,
                    "p" => r#""heartbeat","playing_ms":300"#,
                    "f" => r#""error","error":"network","fatal":true"#,
                    "q" if rng.one_in(4) => r#""end","playing_ms":300"#,
                    "q" => r#""end""#,
                    _ => r#""heartbeat""#,
                };
                format!(r#"{{"ts":{time},"session":"one","event":{content}}}"#)
            }
        }
    }
}
