//! Creates random logs of beacons.

use super::*;

/// Returns a random log of one partition.
pub(crate) fn log(partition: usize, dice: &mut Random) -> Vec<oracle::Record> {
    let mut now = START + dice.below(20_000);
    let mut log: Vec<oracle::Record> = Vec::new();
    // In a third of the logs, one session sends both JSON and CMCD. In each of the other logs, there are several
    // sessions, and some of them send both.
    let (json, cmcd) = if dice.one_in(3) { (4..5, 4..5) } else { (0..7, 4..9) };
    let session = |of: &std::ops::Range<u64>, dice: &mut Random| {
        format!("p{partition}-{}", of.start + dice.below(of.end - of.start))
    };
    for _ in 0..dice.below(50) {
        now += match dice.below(12) {
            0 => dice.below(40_000),
            _ => dice.below(2_000),
        };
        // Timestamps are not in order, because the clocks of producers differ.
        let timestamp = now - dice.below(4) * dice.below(5_000);
        let payload = match dice.below(26) {
            0 => {
                dice.pick(&["", "[]", "{", "null", "7", "[1]", "{\"ts\":1}", "\u{fffd}"]).as_bytes().to_vec()
            }
            1 if !log.is_empty() => log[dice.below(log.len() as u64) as usize].payload.clone(),
            2 => (0..=dice.below(3))
                .map(|_| beacon(&session(&json, dice), timestamp, dice) + "\n")
                .collect::<String>()
                .into(),
            3 => {
                let several: Vec<_> =
                    (0..=dice.below(3)).map(|_| beacon(&session(&json, dice), timestamp, dice)).collect();
                format!("[{}]", several.join(",")).into()
            }
            4..=9 => {
                let session = session(&cmcd, dice);
                let lines = (0..=dice.below(4)).map(|_| event(&session, timestamp, dice));
                lines.collect::<Vec<_>>().join("\n").into()
            }
            10..=13 => request(&session(&cmcd, dice), dice).into(),
            _ => beacon(&session(&json, dice), timestamp, dice).into(),
        };
        log.push(oracle::Record { timestamp: Some(timestamp), payload });
    }
    log
}

/// The events of beacons. Heartbeats are the most frequent, and the last two are unknown.
const EVENTS: [&str; 9] =
    ["attempt", "play", "heartbeat", "heartbeat", "heartbeat", "error", "end", "bogus", "Pause"];

fn beacon(session: &str, timestamp: u64, dice: &mut Random) -> String {
    let ts = match dice.below(10) {
        0 => timestamp + dice.below(4_000),
        1 => timestamp - dice.below(60_000),
        _ => timestamp - dice.below(3_000),
    };
    let mut fields = vec![format!(r#""ts":{ts}"#)];
    if !dice.one_in(30) {
        fields.push(format!(r#""session":"{session}""#));
    }
    if !dice.one_in(3) {
        fields.push(format!(r#""tenant":"{}""#, dice.pick(&["one", "one", "two", "two", "other"])));
    }
    if !dice.one_in(5) {
        fields.push(format!(r#""event":"{}""#, dice.pick(&EVENTS)));
    }
    for (name, values, rarity) in [
        ("os", &["Windows", "macOS", "Linux"][..], 2),
        ("browser", &["Chrome", "Firefox"], 2),
        ("cdn", &["cdn-a", "cdn-b", "cdn-c"], 2),
        ("stream", &["vod", "live"], 3),
        ("format", &["hls", "dash"], 3),
        ("app", &["Example", "Example TV"], 4),
        ("app_version", &["3.1", "4.0"], 4),
        ("content", &["movie", "match", "kids", "news"], 3),
        ("error", &["network", "media", "timeout", ""], 8),
        ("error_code", &["1001", "bufferStalledError", "none", ""], 8),
    ] {
        if dice.one_in(rarity) {
            fields.push(format!(r#""{name}":"{}""#, dice.pick(values)));
        }
    }
    for (name, most) in [
        ("playing_ms", 12_000),
        ("stalled_ms", 40_000),
        ("stalls", 30),
        ("startup_ms", 9_000),
        ("dropped_frames", 3_000),
        ("switches", 20),
        ("bandwidth_kbps", 90_000),
        ("bitrate_kbps", 9_000),
        ("live_latency_ms", 40_000),
        ("ttfb_ms", 70_000),
        ("switches_up", 12),
        ("switches_down", 12),
        ("seeks", 12),
        ("seeking_ms", 40_000),
    ] {
        if dice.one_in(4) {
            fields.push(format!(r#""{name}":{}"#, dice.below(most)));
        }
    }
    if dice.one_in(3) {
        fields.push(format!(r#""trial":{{"arm":"{}","x":1}}"#, dice.pick(&["A", "b", "C", "", "D"])));
    }
    if dice.one_in(4) {
        fields.push(format!(r#""plan":{}"#, dice.pick(&["\"basic\"", "\"Pro\"", "7", "null", "[]"])));
    }
    if dice.one_in(6) {
        fields.push(format!(r#""fatal":{}"#, dice.pick(&["true", "false"])));
    }
    if dice.one_in(30) {
        fields.push(r#""opt_out":true"#.into());
    }
    format!("{{{}}}", fields.join(","))
}

/// Returns a random CMCD record of event mode. Its time is usually up to six seconds before the timestamp of the
/// record.
fn event(session: &str, timestamp: u64, dice: &mut Random) -> String {
    let name = dice.pick(&["ps", "ps", "ps", "t", "rr", "rr", "bc", "e"]);
    let ts = match dice.below(12) {
        0 => timestamp + dice.below(4_000),
        1 => timestamp - dice.below(60_000),
        _ => timestamp - dice.below(6_000),
    };
    let mut record = format!("e={name},ts={ts},v=2");
    cmcd(&mut record, session, dice);
    record
}

/// Returns a random CMCD record of request mode, which contains no time.
fn request(session: &str, dice: &mut Random) -> String {
    let mut record = String::from("CMCD=ot=v");
    cmcd(&mut record, session, dice);
    record
}

fn cmcd(record: &mut String, session: &str, dice: &mut Random) {
    record.push_str(&format!(r#",sid="{session}""#));
    if !dice.one_in(8) {
        let state = dice.pick(&["s", "p", "p", "p", "p", "r", "r", "k", "w", "a", "e", "f", "d", "q"]);
        record.push_str(&format!(",sta={state}"));
    }
    for (key, most, rarity) in [
        ("sn", 2_000, 2),
        ("msd", 9_000, 12),
        ("mtp", 90_000, 4),
        ("ltc", 40_000, 4),
        ("ttfb", 70_000, 4),
        ("dfa", 300, 4),
        ("bsa", 20, 3),
        ("bsda", 9_000, 3),
    ] {
        if dice.one_in(rarity) {
            record.push_str(&format!(",{key}={}", dice.below(most)));
        }
    }
    for (key, values, rarity) in [
        ("br", &["400", "2500", "2540", "6000"][..], 2),
        ("cid", &["\"movie\"", "\"match\"", "\"kids\""], 4),
        ("st", &["v", "l"], 4),
        ("sf", &["h", "d"], 4),
        ("ot", &["v", "a", "m"], 4),
        ("url", &["\"https://a.example/live.mpd\"", "\"https://a.example/1.m4s\""], 4),
        ("org.svta-p-n", &["\"hls.js\"", "\"dash.js\""], 4),
        ("org.svta-ap-v", &["\"4.0\""], 4),
        ("com.example-arm", &["\"a\"", "B", "\"C\""], 4),
        ("com.example-plan", &["\"basic\"", "Pro"], 4),
        ("ec", &["\"404\"", "\"504\"", "(\"404\" \"504\")", "(\"4032\" \"404\")"], 8),
    ] {
        if dice.one_in(rarity) {
            record.push_str(&format!(",{key}={}", dice.pick(values)));
        }
    }
}
