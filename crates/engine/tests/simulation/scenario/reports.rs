//! Generates the reports of players.

use super::*;

impl Scenario {
    pub(super) fn beacon(
        &mut self,
        partition: u32,
        now: u64,
        closed: Closed,
        rng: &mut Random,
    ) -> (String, u64) {
        self.beacons += 1;
        let time = time(now, closed, rng);
        let event =
            ["attempt", "play", "heartbeat", "heartbeat", "heartbeat", "error", "end"][rng.below(7) as usize];
        let mut beacon = format!(
            r#"{{"ts":{time},"tenant":"{}","session":"s{}","event":"{event}""#,
            TENANTS[usize::from(rng.one_in(4))],
            self.session(partition, now, SESSIONS, rng)
        );
        if !rng.one_in(3) {
            beacon += &format!(r#","os":"{}""#, ["Windows", "macOS", "Linux"][rng.below(3) as usize]);
        }
        if !rng.one_in(3) {
            beacon += &format!(r#","browser":"{}""#, ["Chrome", "Firefox"][rng.below(2) as usize]);
        }
        if rng.one_in(2) {
            beacon += &format!(r#","cdn":"cdn-{}""#, rng.below(3));
        }
        if rng.one_in(2) {
            beacon += &format!(r#","playing_ms":{},"bandwidth_kbps":{}"#, rng.below(9000), rng.below(9000));
        }
        if rng.one_in(6) {
            beacon += &format!(r#","startup_ms":{}"#, rng.below(3000));
        }
        if rng.one_in(2) {
            beacon += &amounts(
                &[
                    ("stalled_ms", 9_000),
                    ("live_latency_ms", 40_000),
                    // Values above 60 s are ignored.
                    ("ttfb_ms", 70_000),
                    ("seeks", 4),
                    ("seeking_ms", 9_000),
                    ("switches", 6),
                    ("switches_up", 4),
                    ("switches_down", 4),
                ],
                |name, value| format!(r#","{name}":{value}"#),
                rng,
            );
        }
        if rng.one_in(8) {
            beacon += r#","error":"network","fatal":true"#;
        }
        if rng.one_in(8) {
            beacon += &format!(r#","error_code":"{}""#, rng.pick(&["27", "111", "none"]));
        }
        if closed.is_sure() && rng.one_in(24) {
            beacon += r#","opt_out":true"#;
        }
        (beacon + "}", time)
    }

    /// Generates a record of CMCD event mode. Its reports may be in any order.
    pub(super) fn event(
        &mut self,
        session: u64,
        now: u64,
        closed: Closed,
        states: &[&str],
        rng: &mut Random,
    ) -> (String, u64) {
        self.beacons += 1;
        let time = time(now, closed, rng);
        let event = ["ps", "ps", "t", "rr", "bc"][rng.below(5) as usize];
        let mut record = format!(r#"e={event},ts={time},sid="s{session}",v=2"#);
        if !rng.one_in(8) {
            record += &format!(",sta={}", rng.pick(states));
        }
        if rng.one_in(2) {
            record += &format!(",br={}", rng.below(9000));
        }
        record += &measured(rng);
        record += code(rng);
        if rng.one_in(4) {
            record += &format!(",dfa={},bsa={},bsda={}", rng.below(99), rng.below(9), rng.below(9000));
        }
        if rng.one_in(8) {
            record += &format!(",msd={}", rng.below(3000));
        }
        (record, time)
    }

    /// Generates a record of CMCD request mode.
    pub(super) fn request(&mut self, session: u64, states: &[&str], rng: &mut Random) -> String {
        self.beacons += 1;
        let (state, number, code) = (rng.pick(states), rng.below(9_999), code(rng));
        format!(r#"CMCD=sid="s{session}",sta={state},sn={number}{code}{}"#, measured(rng))
    }
}

/// Returns the error codes of a record. As with real players, most codes are repetitions.
fn code(rng: &mut Random) -> &'static str {
    rng.pick(&["", "", ",ec=27", ",ec=27", ",ec=111", ",ec=(27 111)"])
}

/// Returns the live latency and the time to first byte of a CMCD record. Each of them is often missing. The time to
/// first byte counts only for responses with media.
fn measured(rng: &mut Random) -> String {
    let kind = rng.pick(&["", ",ot=v", ",ot=a", ",ot=m"]);
    kind.to_owned()
        + &amounts(&[("ltc", 40_000), ("ttfb", 70_000)], |key, value| format!(",{key}={value}"), rng)
}

/// Returns some of these amounts, each with a random value below its maximum.
fn amounts(of: &[(&str, u64)], text: impl Fn(&str, u64) -> String, rng: &mut Random) -> String {
    let mut some = String::new();
    for (name, most) in of {
        if rng.one_in(3) {
            some += &text(name, rng.below(*most));
        }
    }
    some
}
