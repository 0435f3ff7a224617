//! Captured HTTP requests.

use crowdfold_beacon::Form;

use crate::seen::read_fresh;

/// A line of captures reads as it would alone; bytes that are no JSON at all are never read without a word.
pub fn check(data: &[u8]) {
    let all = read_fresh(Form::Capture, data);
    let lines: Vec<_> =
        data.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let whole =
        |line: &&[u8]| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line).is_ok();
    if !data.starts_with(b"\xef\xbb\xbf") && !lines.is_empty() && lines.iter().all(whole) {
        let alone: Vec<_> = lines.iter().flat_map(|line| read_fresh(Form::Capture, line)).collect();
        assert!(all == alone, "lines read as they would alone");
    }
    if serde_json::from_slice::<serde_json::Value>(data).is_err() && lines.len() == 1 {
        assert!(all.iter().any(Result::is_err), "what is no JSON was read without a word");
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
    seeds
}
