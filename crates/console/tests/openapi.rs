//! Compares answers of the server with the schemas in its description of the API.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crowdfold_console::{Batch, Console, Facts, Lifetimes, Pipeline, Server, Settings, Store, Token};
use crowdfold_model::{Span, Timestamp};
use crowdfold_query::Row;
use crowdfold_testkit::eventually;
use crowdfold_testkit::rows::{MINUTE, counts_only, noisy, of_tenant, table};
use serde_json::{Value, json};

const FIRST: u64 = 30_000_000;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

const OPERATIONS: [&str; 10] = [
    "tenants",
    "breakdowns",
    "metrics",
    "timeseries",
    "breakdown",
    "compare",
    "distribution",
    "windows",
    "status",
    "live",
];

fn now() -> Timestamp {
    Timestamp::from_millis((FIRST + 60) * MINUTE)
}

/// Returns an hour of windows of two tenants. One window is missing, one is incomplete, and the tables have exact
/// numbers, noisy numbers, and session counts only.
fn rows() -> Vec<Row> {
    let mut records = Vec::new();
    for at in (0..60).filter(|at| *at != 5) {
        let mut detail =
            table(FIRST + at, "cdn/connection", &[("cdn-a/wifi", 900), ("cdn-b/*", 100), ("*/*", 60)]);
        if at == 7 {
            detail.iter_mut().for_each(|row| row["coverage"] = json!({"partitions": 3, "of": 4}));
        }
        records.extend(detail);
        records.extend(noisy(table(FIRST + at, "os", &[("Windows", 1_000), ("*", 60)])));
        records.extend(counts_only(table(FIRST + at, "country", &[("DE", 1_060)])));
    }
    records.extend(of_tenant("beta", table(FIRST + 5, "os", &[("Windows", 500)])));
    records.iter().map(|record| Row::parse(record.to_string().as_bytes()).expect("a row")).collect()
}

fn lifetimes() -> Lifetimes {
    Lifetimes { detail: Span::DAY, rollups: Span::DAY.times(30) }
}

/// Starts a server. The store is in memory if `data_dir` is absent.
fn start(data_dir: Option<&Path>, tokens: Vec<Token>, audit_report: Option<&Path>) -> (Arc<Console>, Server) {
    let facts =
        Facts { ttl_rollups_ms: 1, ttl_beacons_ms: 2, ttl_partials_ms: 3, detail_ms: 4, version: "1.2.3" };
    let settings = Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        hosts: Vec::new(),
        hosts_name: "hosts",
        data_dir: data_dir.map(Path::to_owned),
        lifetimes: lifetimes(),
        tokens,
        export: Vec::new(),
        tenants: ["acme", "beta", "quiet"].map(str::to_owned).into(),
        facts,
        audit_report: audit_report.map(Path::to_owned),
    };
    let console = Console::open(settings, now).expect("a console");
    let server = Server::start(Arc::clone(&console)).expect("a server");
    (console, server)
}

/// Returns the status and the body of a response.
fn get(server: &Server, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    let request = format!("GET /api/v1/{path} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    (head[9..12].parse().expect("a status"), body.to_owned())
}

/// The description of the API, and the responses that were compared with it.
struct Description {
    document: Value,
    /// The compared responses, as (operation, status).
    compared: BTreeSet<(String, u16)>,
}

impl Description {
    /// Reads the description, and changes it so that no object may have properties without a description.
    fn of(server: &Server) -> Self {
        let (status, body) = get(server, "openapi.json", "");
        assert_eq!(status, 200, "{body}");
        let mut document = serde_json::from_str(&body).expect("JSON");
        refuse_unknown_properties(&mut document);
        Self { document, compared: BTreeSet::new() }
    }

    /// Returns the problems of a value. `place` is the path of a schema in the document.
    fn problems(&self, place: &str, value: &Value) -> Vec<String> {
        let mut schema = self.document.clone();
        schema["$ref"] = format!("#{place}").into();
        let validator = jsonschema::draft202012::new(&schema).expect("a valid schema");
        let problem = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        validator.iter_errors(value).map(problem).collect()
    }

    /// Returns the path of the schema of a response, and checks that the description contains it.
    fn place(&self, operation: &str, status: u16) -> String {
        let response = format!("/paths/~1api~1v1~1{operation}/get/responses/{status}");
        let found = self.document.pointer(&response).unwrap_or_else(|| panic!("{response} is not described"));
        let response = found["$ref"].as_str().map_or(response, |reference| reference[1..].to_owned());
        let place = format!("{response}/content/application~1json/schema");
        assert!(self.document.pointer(&place).is_some(), "{place} is not described");
        place
    }

    /// Requests an answer, and compares it with its schema. Returns the answer.
    fn compare(&mut self, server: &Server, path: &str, headers: &str, expected: u16) -> Value {
        let (status, body) = get(server, path, headers);
        assert_eq!(status, expected, "{path}: {body}");
        self.compare_body(path, status, &body)
    }

    fn compare_body(&mut self, path: &str, status: u16, body: &str) -> Value {
        let operation = path.split('?').next().unwrap_or_default();
        let value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
        let problems = self.problems(&self.place(operation, status), &value);
        assert!(problems.is_empty(), "{path}: {problems:?} in {body}");
        self.compared.insert((operation.to_owned(), status));
        value
    }
}

/// Sets `additionalProperties` to false in every schema with properties.
fn refuse_unknown_properties(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(refuse_unknown_properties),
        Value::Object(fields) => {
            fields.values_mut().for_each(refuse_unknown_properties);
            if fields.contains_key("properties") {
                fields.insert("additionalProperties".into(), false.into());
            }
        }
        _ => {}
    }
}

#[test]
fn answers_and_refusals_contain_exactly_what_the_description_contains() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = directory.path().join("audit.json");
    std::fs::write(&report, r#"{"outcome":"clean"}"#).expect("a file");
    let (console, server) = start(None, Vec::new(), Some(&report));
    let mut description = Description::of(&server);
    description.compare(&server, "breakdown?metric=vsf", "", 404);
    let batch = Batch { rows: rows(), ..Batch::default() };
    console.store().add(&batch, now()).expect("the rows are added");
    let mut pipeline = Pipeline::default();
    pipeline.add("crowdfold_beacons_total{outcome=\"read\"} 1200");
    pipeline.add("crowdfold_watermark_lag_seconds{partition=\"0\"} 31");
    description.compare(&server, "status", "", 200);
    console.set_pipeline(pipeline);
    console.set_problem(Some("the broker is unreachable".into()));
    let metrics = description.compare(&server, "metrics", "", 200);
    let names: Vec<_> =
        metrics["metrics"].as_array().expect("metrics").iter().map(|one| &one["name"]).collect();
    let names = names.iter().filter_map(|name| name.as_str()).collect::<Vec<_>>().join(",");
    assert!(names.contains("rebuffering_ratio"), "{names}");
    let status = description.compare(&server, "status", "", 200);
    assert_eq!(status["audit"]["report"]["outcome"], "clean");
    assert_eq!(
        (&status["pipeline"]["lag_ms"], &status["pipeline"]["beacons"]["read"]),
        (&json!(31_000), &json!(1_200))
    );
    assert_eq!(status["tenants_without_rows"], json!(["quiet"]));
    for path in ["tenants", "breakdowns", "windows?since=2h", "windows?tenant=beta&since=2h"] {
        description.compare(&server, path, "", 200);
    }
    for table in ["cdn.connection&by=cdn&where=connection:wifi", "os&by=os", "country"] {
        let question = format!("tenant=acme&breakdown={table}&metric={names}");
        description.compare(&server, &format!("timeseries?{question}&since=2h&step=1m"), "", 200);
        description.compare(&server, &format!("compare?{question}&since=30m&against=30m"), "", 200);
        description.compare(&server, &format!("compare?{question}&since=30m&against=1d"), "", 200);
    }
    let rows = "tenant=acme&breakdown=cdn.connection&by=cdn,connection&since=2h";
    for path in [
        format!("breakdown?{rows}&metric=rebuffering_ratio"),
        format!("breakdown?{rows}&metric=stalls&rank=value&limit=1"),
        format!("breakdown?{rows}&metric=vsf&where=cdn:unknown"),
        "breakdown?tenant=acme&breakdown=country&metric=vsf&since=2h".into(),
        format!("distribution?{rows}&metric=bandwidth_kbps"),
        "distribution?tenant=acme&breakdown=os&since=2h".into(),
    ] {
        description.compare(&server, &path, "", 200);
    }
    for operation in ["timeseries", "breakdown", "compare", "distribution", "windows", "breakdowns"] {
        description.compare(&server, &format!("{operation}?colour=red"), "", 400);
    }
    for operation in ["timeseries", "breakdown", "compare", "distribution"] {
        description.compare(&server, &format!("{operation}?tenant=gamma&metric=startup_ms"), "", 404);
    }
    for operation in ["windows", "breakdowns"] {
        description.compare(&server, &format!("{operation}?tenant=gamma"), "", 404);
    }
    for operation in ["timeseries", "breakdown", "compare", "distribution"] {
        let question = format!("{operation}?tenant=acme&metric=startup_ms&by=os&where=cdn:cdn-a");
        description.compare(&server, &question, "", 422);
    }
    for operation in OPERATIONS {
        description.compare(&server, operation, "host: site.example\r\n", 403);
        description.compare(&server, &format!("{operation}?x={}", "x".repeat(5_000)), "", 414);
    }
    let answered =
        description.compared.iter().filter(|(_, status)| *status == 200).map(|(operation, _)| operation);
    let expected: BTreeSet<String> = OPERATIONS[..9].iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(answered.cloned().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn refusals_of_wrong_tokens_are_described() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("token");
    std::fs::write(&file, TOKEN).expect("a file");
    let tokens = vec![Token::read("all", &file, BTreeSet::new()).expect("a token")];
    let (_console, server) = start(None, tokens, None);
    let (right, wrong) = (format!("authorization: Bearer {TOKEN}\r\n"), "authorization: Bearer wrong\r\n");
    let (status, body) = get(&server, "openapi.json", &right);
    assert_eq!(status, 200, "{body}");
    let (_other, open) = start(None, Vec::new(), None);
    let mut description = Description::of(&open);
    for operation in OPERATIONS {
        description.compare(&server, operation, "", 401);
    }
    let refused = eventually("a request is refused because of too many wrong tokens", || {
        let responses: Vec<_> = thread::scope(|scope| {
            let requests: Vec<_> = (0..64).map(|_| scope.spawn(|| get(&server, "tenants", wrong))).collect();
            requests.into_iter().map(|request| request.join().expect("a response")).collect()
        });
        responses.into_iter().find(|(status, _)| *status == 429)
    });
    for operation in OPERATIONS {
        description.compare_body(operation, refused.0, &refused.1);
    }
}

#[test]
fn events_and_the_refusal_of_too_many_readers_are_described() {
    let (console, server) = start(None, Vec::new(), None);
    let mut description = Description::of(&server);
    assert_eq!(
        description.document.pointer("/paths/~1api~1v1~1live/get/responses/200/content"),
        Some(&json!({"text/event-stream": {"schema": {"type": "string"}}}))
    );
    let mut readers: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).expect("a connection");
            stream.write_all(b"GET /api/v1/live HTTP/1.1\r\n\r\n").expect("a request");
            read_until(&mut stream, ": connected");
            stream
        })
        .collect();
    description.compare(&server, "live", "", 503);
    console.live().announce(&[("acme".to_owned(), now().saturating_sub(Span::MINUTE), now())]);
    let event = read_until(&mut readers[0], "}\n\n");
    let (_, data) = event.split_once("data: ").expect("an event with data");
    let data: Value = serde_json::from_str(data.trim()).expect("JSON");
    assert_eq!(description.problems("/components/schemas/NewWindow", &data), Vec::<String>::new());
    assert_eq!(data["tenant"], "acme");
}

/// Reads a stream until the text that was read contains `wanted`.
fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut received = String::new();
    let mut buffer = [0; 4_096];
    while !received.contains(wanted) {
        let length = stream.read(&mut buffer).expect("a stream");
        assert!(length > 0, "the connection was closed after {received:?}");
        received.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    received
}

#[test]
fn refusal_of_a_console_whose_store_is_damaged_is_described() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(Some(directory.path()), lifetimes()).expect("a store");
    store.add(&Batch { rows: rows(), ..Batch::default() }, now()).expect("the rows are added");
    drop(store);
    // keep the first page, which contains the schema and the version of the database
    let file = directory.path().join("console.sqlite");
    let mut content = std::fs::read(&file).expect("a database");
    assert!(content.len() > 100_000, "the database has {} bytes", content.len());
    content[4_096..].fill(0xff);
    std::fs::write(&file, content).expect("a database");
    let (_console, server) = start(Some(directory.path()), Vec::new(), None);
    let mut description = Description::of(&server);
    for path in [
        "tenants",
        "breakdowns",
        "timeseries?metric=vsf",
        "breakdown?metric=vsf",
        "compare?metric=vsf",
        "distribution",
        "windows",
    ] {
        description.compare(&server, path, "", 500);
    }
}

#[test]
fn description_lists_the_refusals_that_the_other_tests_compare() {
    let (_console, server) = start(None, Vec::new(), None);
    let description = Description::of(&server);
    let refusals = description.document["components"]["responses"].as_object().expect("responses");
    let statuses: Vec<&str> = refusals.keys().map(String::as_str).collect();
    assert_eq!(statuses, ["400", "401", "403", "404", "414", "422", "429", "500", "503"]);
    let paths = description.document["paths"].as_object().expect("paths");
    let expected: BTreeSet<String> = OPERATIONS.iter().map(|name| format!("/api/v1/{name}")).collect();
    assert_eq!(paths.keys().cloned().collect::<BTreeSet<_>>(), expected);
}
