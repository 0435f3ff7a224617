//! Tests of `console.workers`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use crowdfold_testkit::eventually;

use super::{Cluster, Console, this_minute, window};

const METRICS: &str = "\
crowdfold_beacons_total{outcome=\"read\"} 1200
crowdfold_beacons_total{outcome=\"released\"} 900
crowdfold_watermark_lag_seconds{partition=\"0\"} 31.5
crowdfold_ledger_balanced{stage=\"combine\"} 1
";

/// Answers requests with a response until the end of the test. Returns the address.
fn serve(response: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 1_024];
            let length = stream.read(&mut request).expect("a request");
            assert!(request[..length].starts_with(b"GET /metrics HTTP/1.0\r\n"));
            // a client that has ended does not read the response
            let _ = stream.write_all(response.as_bytes());
        }
    });
    address
}

#[test]
fn console_shows_the_metrics_of_workers_to_tokens_for_all_tenants() {
    let cluster = Cluster::new();
    cluster.write(&window(this_minute() - 3));
    let directory = tempfile::tempdir().expect("a directory");
    let [all, beta] = ["all-0123456789abcdef", "beta-0123456789abcdef"];
    let file = |token: &str| {
        let path = directory.path().join(&token[..3]);
        std::fs::write(&path, token).expect("a file");
        path
    };
    let ok = || serve(format!("HTTP/1.0 200 OK\r\n\r\n{METRICS}"));
    let failed = serve(format!("HTTP/1.0 503 Service Unavailable\r\n\r\n{METRICS}"));
    let workers = format!("{:?}", [ok(), ok(), failed.clone(), "127.0.0.1:1".to_owned()]);
    let more = format!(
        "workers = {workers}\n[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n\
         [console.tokens.all]\nfile = {:?}\n[console.tokens.beta]\nfile = {:?}\ntenants = [\"beta\"]\n",
        file(all),
        file(beta)
    );
    let console = Console::start(&cluster, directory.path(), &more);
    let status = |token: &str| -> serde_json::Value {
        let (_, body) = console.get("/api/v1/status", &format!("authorization: Bearer {token}\r\n"));
        serde_json::from_str(&body).expect("JSON")
    };
    let pipeline = eventually("the metrics of the workers were read", || {
        Some(status(all)["pipeline"].clone()).filter(|pipeline| !pipeline.is_null())
    });
    let expected = serde_json::json!({
        "workers": 2, "unreachable": [failed, "127.0.0.1:1"], "lag_ms": 31_500, "headroom_ms": null, "balanced": true,
        "beacons": {"read": 2_400, "released": 1_800},
    });
    assert_eq!(pipeline, expected);
    assert!(status(beta)["pipeline"].is_null(), "the numbers include the beacons of other tenants");
}
