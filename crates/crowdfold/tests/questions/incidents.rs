//! Sessions that are added to the sessions of the players, so that rare events are frequent enough to be published.

use crowdfold_model::{SumMetric, ValueMetric};

use crate::bench::{MINUTE, Sums};

/// The number of minutes at the end of the period in which startup is slow, as after a release of a player.
const SLOW_MINUTES: u64 = 20;

/// A group of sessions with the same problem. Some of them begin in each minute of the hour.
pub(crate) struct Incident {
    name: &'static str,
    pub(crate) sessions: u64,
    /// The values of the breakdowns of the page.
    values: [(&'static str, &'static str); 7],
    metrics: &'static [SumMetric],
}

/// The incidents: sessions that fail to start, sessions that end before they start, sessions that start slowly, and
/// sessions that stall. No share of a value is close to 0 or 1, because noise would make it invalid.
pub(crate) const INCIDENTS: [Incident; 4] = [
    Incident {
        name: "failed",
        sessions: 150,
        values: [
            ("asn", "unknown"),
            ("device", "console"),
            ("player_version", "unknown"),
            ("content", "trailer-1"),
            ("cdn", "cdn-a"),
            ("arm", "A"),
            ("error_code", "keySystemNoAccess"),
        ],
        metrics: &[SumMetric::Attempts, SumMetric::StartupFailures],
    },
    Incident {
        name: "exited",
        sessions: 140,
        values: [
            ("asn", "unknown"),
            ("device", "desktop"),
            ("player_version", "9.9"),
            ("content", "trailer-1"),
            ("cdn", "cdn-a"),
            ("arm", "B"),
            ("error_code", "none"),
        ],
        metrics: &[SumMetric::Attempts, SumMetric::ExitsBeforeStart, SumMetric::GoodSessions],
    },
    Incident {
        name: "slow",
        sessions: 90,
        values: [
            ("asn", "unknown"),
            ("device", "phone"),
            ("player_version", "9.9"),
            ("content", "trailer-1"),
            ("cdn", "cdn-a"),
            ("arm", "A"),
            ("error_code", "1001"),
        ],
        metrics: &[SumMetric::Attempts, SumMetric::Plays, SumMetric::Stalls],
    },
    Incident {
        name: "stalled",
        sessions: 60,
        values: [
            ("asn", "unknown"),
            ("device", "console"),
            ("player_version", "unknown"),
            ("content", "trailer-1"),
            ("cdn", "cdn-b"),
            ("arm", "A"),
            ("error_code", "bufferStalledError"),
        ],
        metrics: &[SumMetric::Attempts, SumMetric::Plays, SumMetric::Stalls],
    },
];

/// The playing time of each session that plays.
const PLAYING_MS: u64 = 20_000;

impl Incident {
    /// Returns the startup time of the sessions in a minute that begins this long before the end.
    fn startup_ms(&self, before_end: u64) -> u64 {
        if self.name == "slow" && before_end <= SLOW_MINUTES * MINUTE { 6_000 } else { 800 }
    }

    /// Returns the stalled time of each session that plays. It is more than 1 % of the session, so no such session is
    /// good.
    fn stalled_ms(&self) -> u64 {
        if self.name == "stalled" { 10_000 } else { 4_000 }
    }

    pub(crate) fn value(&self, breakdown: &str) -> &'static str {
        self.values.iter().find(|(name, _)| *name == breakdown).expect("a breakdown of the page").1
    }

    /// Returns the activity of the sessions in a minute that begins this long before the end.
    pub(crate) fn sums(&self, before_end: u64) -> Sums {
        let mut sums = Sums { sessions: self.sessions, ..Sums::default() };
        self.metrics.iter().for_each(|metric| sums.sums[*metric as usize] = self.sessions);
        if self.metrics.contains(&SumMetric::Plays) {
            let startup_ms = self.startup_ms(before_end);
            sums.values[ValueMetric::StartupMs as usize] = (startup_ms * self.sessions, self.sessions);
            sums.sums[SumMetric::PlayingMs as usize] = PLAYING_MS * self.sessions;
            sums.sums[SumMetric::StalledMs as usize] = self.stalled_ms() * self.sessions;
        }
        sums
    }

    /// Returns the beacons of one session in the minute that begins at `start`, each with its time.
    fn beacons(&self, start: u64, end: u64, session: u64) -> Vec<(u64, String)> {
        let ts = start + 5_000 + session * 100;
        let value = |name| self.value(name);
        let optional = |name| match value(name) {
            "unknown" => String::new(),
            known => format!(r#","{name}":"{known}""#),
        };
        let beacon = |ts: u64, event: &str, more: &str| {
            let line = format!(
                r#"{{"ts":{ts},"session":"{}-{start}-{session}","event":"{event}","device":"{}","content":"{}","cdn":"{}","experiment":{{"arm":"{}"}}{}{more}}}"#,
                self.name,
                value("device"),
                value("content"),
                value("cdn"),
                value("arm"),
                optional("player_version"),
            );
            (ts, line)
        };
        let error = |class: &str, fatal: bool| {
            format!(r#","error":"{class}","error_code":"{}","fatal":{fatal}"#, value("error_code"))
        };
        let first = beacon(ts, "attempt", "");
        match self.name {
            "failed" => vec![first, beacon(ts + 2_000, "error", &error("drm", true))],
            "exited" => vec![first, beacon(ts + 3_000, "end", "")],
            name => {
                let startup = format!(r#","startup_ms":{}"#, self.startup_ms(end - start));
                let stalled_ms = self.stalled_ms();
                let amounts = format!(r#","playing_ms":{PLAYING_MS},"stalled_ms":{stalled_ms},"stalls":1"#);
                let last = error(if name == "stalled" { "media" } else { "network" }, false) + &amounts;
                vec![first, beacon(ts + 1_000, "play", &startup), beacon(ts + 31_500, "error", &last)]
            }
        }
    }
}

/// Returns the beacons of all incidents in the minutes from `from` to `end`, in the order of their times.
pub(crate) fn beacons(from: u64, end: u64) -> Vec<(u64, String)> {
    let minutes = (from..end).step_by(MINUTE as usize);
    let mut beacons: Vec<_> = minutes
        .flat_map(|start| INCIDENTS.iter().map(move |incident| (start, incident)))
        .flat_map(|(start, incident)| {
            (0..incident.sessions).flat_map(move |session| incident.beacons(start, end, session))
        })
        .collect();
    beacons.sort_by_key(|(ts, _)| *ts);
    beacons
}
