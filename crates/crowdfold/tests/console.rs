//! Tests of `console` against librdkafka's mock broker in this process: the API, the page, tokens, and a restart.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crowdfold_testkit::eventually;
use crowdfold_testkit::rows::table;
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use serde_json::Value;

#[path = "console/hostile.rs"]
mod hostile;
#[path = "console/workers.rs"]
mod workers;

struct Cluster(MockCluster<'static, DefaultProducerContext>);

impl Cluster {
    fn new() -> Self {
        let cluster = MockCluster::new(1).expect("a mock cluster");
        cluster.create_topic("crowdfold.rollups", 2, 1).expect("a topic");
        Self(cluster)
    }

    fn write(&self, records: &[Value]) {
        let mut config = ClientConfig::new();
        let producer: BaseProducer =
            config.set("bootstrap.servers", self.0.bootstrap_servers()).create().expect("a producer");
        for record in records {
            let payload = record.to_string();
            let record = BaseRecord::<(), str>::to("crowdfold.rollups").partition(1).payload(&payload);
            producer.send(record).map_err(|(error, _)| error).expect("room");
        }
        producer.flush(Duration::from_secs(120)).expect("records are taken");
    }
}

/// A running console.
struct Console {
    process: Child,
    address: String,
    log: PathBuf,
}

impl Console {
    fn start(cluster: &Cluster, directory: &Path, more: &str) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_crowdfold")), cluster, directory, more)
    }

    /// Starts a console. `program` is a command to which the arguments of the console are added.
    fn run(mut program: Command, cluster: &Cluster, directory: &Path, more: &str) -> Self {
        let file = directory.join("crowdfold.toml");
        let text = format!("[console]\ndata_dir = {directory:?}\n{more}");
        std::fs::write(&file, text).expect("a file");
        let log = directory.join("log");
        let process = program
            .args(["console", "--listen", "127.0.0.1:0", "--brokers", &cluster.0.bootstrap_servers()])
            .arg("--config")
            .arg(file)
            .env_clear()
            .stderr(std::fs::File::create(&log).expect("a file"))
            .spawn()
            .expect("the program runs");
        let address = eventually("the address of the page", || {
            let text = std::fs::read_to_string(&log).expect("UTF-8");
            let line = text.lines().find(|line| line.contains("the page is at http://"))?;
            Some(line.rsplit("http://").next()?.trim().to_owned())
        });
        Self { process, address, log }
    }

    /// Returns the log.
    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("UTF-8")
    }

    /// Returns the head and the body of a response.
    fn get(&self, path: &str, header: &str) -> (String, String) {
        let host = &self.address;
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{header}\r\n"))
    }

    /// Sends a request. Returns the head and the body of the response.
    fn send(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        let (head, body) = response.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path, "").1).expect("JSON")
    }

    /// Waits until a tenant has this many windows.
    fn wait_for_windows(&self, windows: u64) {
        eventually("the windows are in the store", || {
            let report = self.json("/api/v1/windows?since=1h");
            (report["tenants"][0]["published"] == windows).then_some(())
        });
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "the program compares with its own clock")]
fn this_minute() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs() / 60
}

fn window(minute: u64) -> Vec<Value> {
    let mut rows = table(minute, "cdn", &[("cdn-a", 900), ("cdn-b", 100)]);
    rows[1]["stalled_ms"] = 600_000.into();
    rows
}

#[test]
fn api_gives_the_same_answer_as_query_and_console_continues_after_a_restart() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let now = this_minute();
    cluster.write(&[window(now - 4), window(now - 3)].concat());
    let console = Console::start(&cluster, directory.path(), "export = [\"cdn: rebuffering_ratio\"]\n");
    console.wait_for_windows(2);
    let answer = console.json("/api/v1/breakdown?metric=rebuffering_ratio&by=cdn&since=1h");
    let printed = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["query", "--by", "cdn", "--rank", "impact", "--format", "json", "--brokers"])
        .arg(cluster.0.bootstrap_servers())
        .env_clear()
        .output()
        .expect("the program runs");
    let lines = String::from_utf8(printed.stdout).expect("UTF-8");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    for (line, row) in lines.iter().zip(answer["rows"].as_array().expect("rows")) {
        for field in ["dimensions", "value", "impact", "share"] {
            assert_eq!(line[field], row[field], "{field}");
        }
        assert_eq!(line["session_windows"], row["sessions"]);
    }
    let (_, gauges) = console.get("/metrics", "");
    assert!(
        gauges.contains("crowdfold_rollup_sessions{tenant=\"acme\",breakdown=\"cdn\",cdn=\"cdn-a\"} 900"),
        "{gauges}"
    );
    drop(console);
    cluster.write(&window(now - 2));
    let console = Console::start(&cluster, directory.path(), "");
    console.wait_for_windows(3);
    let (_, csv) = console.get("/api/v1/timeseries?metric=sessions&since=1h&step=1m", "accept: text/csv\r\n");
    assert_eq!(csv.lines().count(), 4, "{csv}");
}

#[test]
fn each_new_window_causes_one_event() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let console = Console::start(&cluster, directory.path(), "");
    let mut stream = TcpStream::connect(&console.address).expect("a connection");
    let request = format!("GET /api/v1/live HTTP/1.1\r\nhost: {}\r\n\r\n", console.address);
    stream.write_all(request.as_bytes()).expect("a request");
    stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a socket");
    let mut received = String::new();
    let mut read_until = |wanted: &str| {
        while !received.contains(wanted) {
            let mut buffer = [0; 4_096];
            let length = stream.read(&mut buffer).expect("an event");
            assert!(length > 0, "the connection was closed after {received:?}");
            received.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
        received.clone()
    };
    let head = read_until(": connected");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    let now = this_minute();
    cluster.write(&[window(now - 4), window(now - 3)].concat());
    let event = |minute: u64| {
        let (start, end) = (minute * 60_000, (minute + 1) * 60_000);
        let data = serde_json::json!({"tenant": "acme", "start": start, "end": end});
        format!("event: window\ndata: {data}\n\n")
    };
    let first = read_until(&event(now - 3));
    assert!(first.contains(&event(now - 4)), "{first}");
    // a window that was already announced causes no further event
    cluster.write(&[window(now - 4), window(now - 2)].concat());
    let all = read_until(&event(now - 2));
    assert_eq!(all.matches("event: window").count(), 3, "{all}");
}

#[test]
fn page_is_at_most_150_kib_and_requests_nothing_from_other_hosts() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let console = Console::start(&cluster, directory.path(), "");
    let files = [
        "/",
        "/app.css",
        "/app.js",
        "/screens.js",
        "/format.js",
        "/chart.js",
        "/uPlot.js",
        "/uPlot.css",
        "/icon.svg",
    ];
    let mut all = Vec::new();
    for file in files {
        let (head, body) = console.get(file, "");
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{file}: {head}");
        assert!(head.contains("content-security-policy: default-src 'self';"), "{head}");
        if !file.starts_with("/uPlot") {
            let hosts = body.replace("http://www.w3.org/2000/svg", "");
            assert!(!hosts.contains("http://") && !hosts.contains("https://"), "{file}");
        }
        all.extend(body.into_bytes());
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&all).expect("it is packed");
    let size = packed.finish().expect("it is packed").len();
    assert!(size <= 150 * 1_024, "the page has {size} bytes");
    for (path, status) in
        [("/secret", "404"), ("/api/v1/colours", "404"), ("/api/v1/timeseries?colour=red", "400")]
    {
        let (head, body) = console.get(path, "");
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {head}");
        assert!(body.starts_with("{\"error\":"), "{body}");
    }
    // A web site whose name resolves to a loopback address must not be able to read answers.
    for path in ["/", "/api/v1/tenants", "/metrics", "/api/v1/live"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: site.example:8090\r\nconnection: close\r\n\r\n");
        let (head, body) = console.send(&request);
        assert!(head.starts_with("HTTP/1.1 403") && body.contains("console.hosts"), "{path}: {head} {body}");
    }
    let long = format!("/api/v1/timeseries?metric={}", "x".repeat(5_000));
    assert!(console.get(&long, "").0.starts_with("HTTP/1.1 414"));
    assert_eq!(console.json("/api/v1/openapi.json")["openapi"], "3.1.0");
}

#[test]
fn requests_without_the_token_are_refused() {
    let cluster = Cluster::new();
    let directory = tempfile::tempdir().expect("a directory");
    let token = "0123456789abcdef0123456789abcdef";
    let file = directory.path().join("token");
    std::fs::write(&file, token).expect("a file");
    let report = directory.path().join("audit.json");
    std::fs::write(&report, r#"{"outcome":"clean","topics":["secret-topic"]}"#).expect("a file");
    let more = format!(
        "audit_report = {report:?}\n[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[console.tokens.beta]\nfile = {file:?}\ntenants = [\"beta\"]\n"
    );
    cluster.write(&window(this_minute() - 3));
    let console = Console::start(&cluster, directory.path(), &more);
    for header in
        ["", "authorization: Bearer wrong-wrong-wrong\r\n", "cookie: crowdfold_token=wrong-wrong-wrong\r\n"]
    {
        for path in ["/api/v1/tenants", "/api/v1/live", "/metrics"] {
            assert!(console.get(path, header).0.starts_with("HTTP/1.1 401"), "{path} {header}");
        }
    }
    assert!(console.get("/", "").0.starts_with("HTTP/1.1 200"), "the page itself asks for the token");
    let (head, body) = console.get("/api/v1/tenants", &format!("authorization: Bearer {token}\r\n"));
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("\"tenants\":[]"), "{head} {body}");
    // The form of the page contains the state of the page, which the page has again after the sign-in.
    let sign_in = |form: &str| {
        let (host, length) = (&console.address, form.len());
        let kind = "application/x-www-form-urlencoded";
        console.send(&format!(
            "POST /login HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {length}\r\n\r\n{form}"
        ))
    };
    let state = "screen%3Dbreakdown%26where%3Dcdn%253Acdn-a%26login%3Dfailed%0D%0Ax-injected%3A1";
    for (form, target) in [
        (format!("token={token}&state={state}"), "/?screen=breakdown&where=cdn%3Acdn-a"),
        (format!("token={token}"), "/"),
        (format!("token={token}&state=//other.example/"), "/?%2F%2Fother.example%2F="),
        (
            format!("token=wrong-wrong-wrong&state={state}"),
            "/?screen=breakdown&where=cdn%3Acdn-a&login=failed",
        ),
        ("token=".to_owned(), "/?login=failed"),
    ] {
        let (head, _) = sign_in(&form);
        assert!(
            head.starts_with("HTTP/1.1 303") && head.contains(&format!("\r\nlocation: {target}\r\n")),
            "{head}"
        );
        assert_eq!(head.contains("set-cookie: crowdfold_token="), form.starts_with("token=0123"), "{head}");
        assert!(!head.contains("\r\nx-injected"), "{head}");
    }
    // The report names topics and principals, so only tokens for all tenants show it.
    let (head, body) = console.get("/api/v1/status", &format!("authorization: Bearer {token}\r\n"));
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("\"audit\":null"), "{head} {body}");
}
