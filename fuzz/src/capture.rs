//! The target `capture`: captured HTTP requests and log lines.

use std::sync::{Arc, LazyLock};

use crowdfold_beacon::{Form, LogFields, Reader};

use crate::json::is_sound;
use crate::seen::{FIELDS, Outcome, read, read_fresh};

/// The fields of a log. Every field has its own key, also each key of CMCD.
static LOG: LazyLock<Arc<LogFields>> = LazyLock::new(|| {
    let path = |name: String| {
        let path =
            if name.starts_with("sec_") { vec!["h".to_owned(), name.clone()] } else { vec![name.clone()] };
        (name, path)
    };
    Arc::new(LogFields::new(&LogFields::names().map(path).collect()).unwrap())
});

fn read_log(record: &[u8]) -> Vec<Outcome> {
    read(&mut Reader::new(Arc::clone(&FIELDS)).with_log(Arc::clone(&LOG)), Form::Capture, record)
}

/// Asserts that each line of a record has the same outcome as if it were the only line, and that a line that is not
/// JSON is rejected.
pub fn check(data: &[u8]) {
    check_with(data, &|record| read_fresh(Form::Capture, record));
    check_with(data, &read_log);
}

fn check_with(data: &[u8], read: &dyn Fn(&[u8]) -> Vec<Outcome>) {
    let all = read(data);
    let lines: Vec<_> =
        data.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let whole =
        |line: &&[u8]| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line).is_ok();
    if !data.starts_with(b"\xef\xbb\xbf") && !lines.is_empty() && lines.iter().all(whole) {
        let alone: Vec<_> = lines.iter().flat_map(|line| read(line)).collect();
        assert!(all == alone, "the outcomes of the lines differ from the outcomes of each line alone");
    }
    if !is_sound(data) && lines.len() == 1 {
        assert!(all.iter().any(Result::is_err), "a line that is not JSON was accepted");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let lines: Vec<_> = crate::some_lines(crate::CAPTURES, 20).filter(|line| line.len() < 4_000).collect();
    let mut seeds: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
    seeds.push(lines[..3].join("\n").into_bytes());
    seeds.push(format!("[{}]", lines[..3].join(",")).into_bytes());
    seeds.push(
        br#"{"received_at_ms":1,"client_ip":"203.0.113.9","path":"/v1/cmcd/acme?CMCD=sid%3D%22a%22","headers":{"Sec-GPC":1,"DNT":"1","cmcd-object":"br=5","Content-Type":"text/plain","sec-ch-ua":"\"Chromium\";v=\"147\"","sec-ch-ua-mobile":"?1","sec-ch-ua-model":"m","sec-ch-ua-platform":"\"Android\"","sec-ch-ua-platform-version":"\"15.0.0\""},"body":"[{\"session\":\"a\",\"ts\":1}]"}"#
            .to_vec(),
    );
    seeds.push(
        br#"{"time":"1795308480.123","address":"203.0.113.9","query":"CMCD=sid%2522","user_agent":"M%2F5.0+%28X%29","cmcd":"sid%3D%22a%22","cmcd_sid":"\"a\"","cmcd_br":3200,"cmcd_su":true,"cmcd_cid":"a\\b","country":"DE","h":{"sec_ch_ua_mobile":"?0"},"cmcd_session":"sid=\"a\""}"#
            .to_vec(),
    );
    seeds.push(
        br#"{"Records":[{"query":"CMCD=sid%3Da","headers":{"user-agent":["x"],"referer":"\ud83d"}},{"received_at_ms":"soon"}]}"#
            .to_vec(),
    );
    seeds.push(
        br#"{"time":"2026-11-26T14:03:05.250+01:00","cmcd_sid":"a","cmcd_pr":1.5,"cmcd_bl":-1}"#.to_vec(),
    );
    seeds
}
