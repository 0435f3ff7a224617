//! Compares the CPU time of the collector with the CPU time of its parts. Connections use the loopback interface and
//! are kept alive.
//!
//! The collector is the released program. It reads requests, packs their beacons, and responds when a real Kafka has
//! written them. With `collect.acknowledge = "queued"`, it responds when they are packed. The bare server is a hyper
//! server with the same settings in a separate process. It reads bodies and responds with 204. The bare producer writes
//! the same bytes, packed in the same way, but without HTTP. "Both" is the sum of bare server and bare producer. The
//! benchmark prints requests and beacons per CPU-second of the process. The rounds of the variants alternate. It also
//! prints the response times at 50 % and at 90 % of the maximum rate. `cargo bench --bench collect -- 5` runs rounds of
//! five seconds.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

mod load;

use crowdfold_model::Timestamp;
use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crowdfold_testkit::envelope::{Body, CONTENT_TYPE, Http, Packer, Parsed, reader};
use crowdfold_testkit::{Kafka, Options, binary, unique};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use load::{Load, now};

const PARTITIONS: u32 = 4;

/// The number of connections that send requests. It is large, because each connection waits for Kafka.
const CONNECTIONS: usize = 256;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--bare") {
        return bare();
    }
    let smoke = arguments.iter().any(|argument| argument == "--test");
    let asked = arguments.iter().filter_map(|argument| argument.parse().ok()).next();
    let (seconds, rounds) = if smoke { (1, 1) } else { (asked.unwrap_or(5), 5) };
    let round = Duration::from_secs(seconds);

    let program = binary("crowdfold");
    let kafka = Kafka::start(Options::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for load in [Load::batches(), Load::single(), Load::cmcd()] {
        println!("{}: {} beacons in {} bytes", load.name, load.beacons, load.bytes());
        let collector = Collector::start(&program, &kafka, "written");
        let early = Collector::start(&program, &kafka, "queued");
        let bare = Server::bare();
        let (mut collectors, mut sooner, mut bares, mut producers) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut capacity: f64 = 0.0;
        for _ in 0..rounds {
            let (rate, per_cpu) = runtime.block_on(flood(&collector.0, &load, round));
            capacity = capacity.max(rate);
            collectors.push(per_cpu);
            sooner.push(runtime.block_on(flood(&early.0, &load, round)).1);
            bares.push(runtime.block_on(flood(&bare, &load, round)).1);
            producers.push(produce(&kafka, &load, round));
        }
        let beacons = load.beacons as f64;
        show("collect", &collectors, beacons);
        show("... answering early", &sooner, beacons);
        show("bare server", &bares, beacons);
        show("bare producer", &producers, beacons);
        let parts: Vec<f64> = bares
            .iter()
            .zip(&producers)
            .map(|(bare, producer)| 1.0 / (1.0 / bare + 1.0 / producer))
            .collect();
        for (name, collectors, of) in [
            ("collect / bare server", &collectors, &bares),
            ("... answering early", &sooner, &bares),
            ("collect / both", &collectors, &parts),
            ("... answering early", &sooner, &parts),
        ] {
            let ratio = median(collectors.iter().zip(of).map(|(rate, of)| rate / of).collect());
            println!("{name:>22}: {ratio:>9.2} (median of the rounds)");
        }
        for share in [0.5, 0.9] {
            let times = runtime.block_on(send_at_rate(&collector.0, &load, capacity * share, round * 2));
            let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
            println!(
                "{:>22}: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms at {:.0} requests a second",
                format!("{:.0} % of capacity", share * 100.0),
                ms(0.5),
                ms(0.99),
                ms(0.999),
                capacity * share
            );
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn show(name: &str, rates: &[f64], beacons: f64) {
    let (low, high) = rates.iter().fold((f64::MAX, 0.0_f64), |(low, high), r| (low.min(*r), high.max(*r)));
    let middle = median(rates.to_vec());
    println!(
        "{name:>22}: {middle:>9.0} requests per CPU-second (median; {low:.0} to {high:.0}), {:.0} beacons",
        middle * beacons
    );
}

/// A server that runs in a separate process.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn bare() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--bare")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }

    /// Returns the user and system CPU time of all threads of the server. The resolution is 10 ms.
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A collector that writes to its own topic.
struct Collector(Server);

impl Collector {
    fn start(program: &Path, kafka: &Kafka, acknowledge: &str) -> Self {
        let prefix = unique("bench");
        let kept = [
            ("retention.ms", "2640000"),
            ("segment.ms", "660000"),
            ("message.timestamp.type", "LogAppendTime"),
        ];
        kafka.create_topic(&format!("{prefix}.beacons"), PARTITIONS, &kept);
        let config = format!(
            "[kafka]\nbrokers = [\"{}\"]\nprefix = \"{prefix}\"\n[topics]\nbeacon_partitions = {PARTITIONS}\nreplication = 1\n\
             [collect]\nlisten = \"127.0.0.1:0\"\nmax_requests_per_connection_second = 0\n\
             acknowledge = \"{acknowledge}\"\n[metrics]\nlisten = \"\"\n",
            kafka.bootstrap()
        );
        let path = std::env::temp_dir().join(&prefix);
        std::fs::write(&path, config).unwrap();
        let mut child = Command::new(program)
            .args(["collect", "--config"])
            .arg(&path)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("http://")?.1.to_owned())).unwrap();
        // The collector logs this line as soon as it can write to Kafka.
        lines.find(|line| line.ends_with("partitions")).unwrap();
        std::thread::spawn(move || lines.for_each(|line| eprintln!("collect: {line}")));
        Self(Server { child, address })
    }
}

/// Returns the requests per second, and the requests per CPU-second of the server. Every connection sends its next
/// request as soon as it has received a response.
async fn flood(server: &Server, load: &Load, round: Duration) -> (f64, f64) {
    let requests = Arc::new(load.requests());
    let counted = Arc::new(AtomicU64::new(0));
    let next = Arc::new(AtomicUsize::new(0));
    let end = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (requests, counted, next) = (Arc::clone(&requests), Arc::clone(&counted), Arc::clone(&next));
        let end = Arc::clone(&end);
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        tasks.push(tokio::spawn(async move {
            while !end.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed) % requests.len();
                ask(&mut stream, &requests[at]).await;
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    while counted.load(Ordering::Relaxed) < CONNECTIONS as u64 {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (began, spent, answered) = (Instant::now(), server.cpu(), counted.load(Ordering::Relaxed));
    tokio::time::sleep(round).await;
    let (took, spent) = (began.elapsed(), server.cpu() - spent);
    let answered = (counted.load(Ordering::Relaxed) - answered) as f64;
    end.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    (answered / took.as_secs_f64(), answered / spent.as_secs_f64())
}

/// Sends one request, and asserts that the response has the status 204.
async fn ask(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).await.unwrap();
    let mut answer = [0; 1024];
    let mut length = 0;
    while !answer[..length].windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut answer[length..]).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        length += read;
    }
    assert!(answer.starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&answer[..length]));
}

/// Sends requests at a constant rate, which does not depend on the responses. Returns the response times in
/// microseconds. Each one begins at the time at which the request was due.
async fn send_at_rate(server: &Server, load: &Load, rate: f64, round: Duration) -> Histogram<u64> {
    let requests = Arc::new(load.requests());
    let began = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..4 * CONNECTIONS {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        tasks.push(tokio::spawn(async move {
            let mut times = Histogram::<u64>::new(3).unwrap();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let due = began + Duration::from_secs_f64(at as f64 / rate);
                if due > began + round {
                    return times;
                }
                tokio::time::sleep_until(due.into()).await;
                ask(&mut stream, &requests[at % requests.len()]).await;
                times.record(due.elapsed().as_micros() as u64).unwrap();
            }
        }));
    }
    let mut all = Histogram::new(3).unwrap();
    for task in tasks {
        all.add(task.await.unwrap()).unwrap();
    }
    all
}

/// Writes the beacons of requests to Kafka with a producer. Returns the number of requests per CPU-second of this
/// process. The other threads of the process are idle meanwhile.
fn produce(kafka: &Kafka, load: &Load, round: Duration) -> f64 {
    let topic = unique("bare");
    kafka.create_topic(&topic, PARTITIONS, &[("retention.ms", "2640000")]);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("compression.codec", "lz4")
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .create()
        .unwrap();
    let parsed = load.bodies.iter().map(|body| {
        let body = if load.name.starts_with("CMCD") { Body::Events(body) } else { Body::Json(body) };
        let mut parsed = Parsed::default();
        assert_eq!(parsed.add_all(&mut reader(), &Http::default(), &body), 0);
        parsed
    });
    // The bodies are parsed before the measurement, which includes only the work of a producer: packing and writing.
    let parsed: Vec<_> = parsed.collect();
    let (began, spent) = (Instant::now(), own_cpu());
    let mut packer = Packer::default();
    let mut requests = 0_u64;
    while began.elapsed() < round {
        for parsed in &parsed {
            let http = Http { received_at: Some(Timestamp::from_millis(now())), ..Http::default() };
            assert!(packer.push(&http, parsed, 0..parsed.len()));
            requests += 1;
            if packer.len() < 64 * 1024 {
                continue;
            }
            let record = packer.take();
            let kind = Header { key: "content-type", value: Some(CONTENT_TYPE) };
            let mut record = BaseRecord::<[u8], [u8]>::to(&topic)
                .partition((requests % u64::from(PARTITIONS)) as i32)
                .headers(OwnedHeaders::new().insert(kind))
                .payload(&record);
            while let Err((_, back)) = producer.send(record) {
                record = back;
                producer.poll(Duration::from_millis(10));
            }
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    requests as f64 / (own_cpu() - spent).as_secs_f64()
}

fn own_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Runs a server that reads requests and responds with 204.
fn bare() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let answer = service_fn(|request: Request<Incoming>| async move {
                    let _: Bytes = request.into_body().collect().await.unwrap().to_bytes();
                    let mut response = Response::new(Empty::<Bytes>::new());
                    *response.status_mut() = StatusCode::NO_CONTENT;
                    Ok::<_, Infallible>(response)
                });
                let mut server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                server.http1().timer(TokioTimer::new());
                let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
}
