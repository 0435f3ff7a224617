//! The HTTP server of the pages `/metrics`, `/healthz` and `/readyz`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{Status, describe};
use crate::{WorkerError, clock};

/// The bounds of the buckets of the histograms, in seconds.
const BUCKETS: [f64; 14] =
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0, 60.0, 120.0, 600.0];

/// The maximum number of concurrent connections. Probes and scrapers need only a few. The limit protects the file
/// descriptors of the worker.
const CONNECTIONS: usize = 64;

/// The maximum time for receiving the head of a request. It equals the default of `collect.read_timeout`.
const SLOW: Duration = Duration::from_secs(10);

/// The maximum duration of a connection. Each connection serves one request.
const WHOLE: Duration = Duration::from_secs(30);

/// The maximum size of the head of a request, in bytes.
const HEAD: usize = 16_384;

/// The response that is sent when the connection limit is reached.
const REFUSED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The server of the pages.
pub struct Server {
    /// The runtime. It is stored here because the threads of the server end when the runtime is dropped.
    _runtime: Runtime,
    /// The address on which the server listens. It contains the actual port if the configured port is 0. `None` if no
    /// address is configured.
    pub address: Option<SocketAddr>,
}

#[derive(Clone)]
struct Pages {
    status: Arc<Status>,
    metrics: PrometheusHandle,
}

impl Server {
    /// Starts the server. If `address` is `None`, the server serves no pages.
    ///
    /// # Errors
    /// Returns an error if the server cannot listen on the address, or if the async runtime or the metrics recorder
    /// cannot start.
    pub fn start(address: Option<SocketAddr>, status: Arc<Status>) -> Result<Self, WorkerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(WorkerError::Runtime)?;
        let address = match address {
            Some(address) => Some(serve(&runtime, address, status)?),
            None => None,
        };
        Ok(Self { _runtime: runtime, address })
    }
}

fn serve(runtime: &Runtime, address: SocketAddr, status: Arc<Status>) -> Result<SocketAddr, WorkerError> {
    let metrics = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    describe();
    let cannot_listen = |error| WorkerError::Listen { address, error };
    let listener = runtime.block_on(TcpListener::bind(address)).map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(WorkerError::Runtime)?;
    let pages = Pages { status, metrics: metrics.clone() };
    runtime.spawn(accept(listener, pages));
    runtime.spawn(async move {
        loop {
            sleep(Duration::from_secs(5)).await;
            // without this upkeep, the memory of the histograms grows without limit
            metrics.run_upkeep();
        }
    });
    Ok(address)
}

/// Accepts connections, at most [`CONNECTIONS`] at a time.
async fn accept(listener: TcpListener, pages: Pages) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // accepting fails if the client has already closed the connection, or if the process has no more file
            // descriptors; both causes are temporary
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            let _ = stream.try_write(REFUSED);
            continue;
        };
        let pages = pages.clone();
        tokio::spawn(async move {
            // ignore an error of the connection, because it affects only the client
            let _ = timeout(WHOLE, connection(stream, pages)).await;
            drop(permit);
        });
    }
}

/// Serves one request on a connection.
async fn connection(stream: TcpStream, pages: Pages) -> hyper::Result<()> {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = pages.response(request.method(), request.uri().path());
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOW)
        .max_buf_size(HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

impl Pages {
    fn response(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let (status, text) = match path {
            "/metrics" => (StatusCode::OK, self.metrics.render()),
            "/healthz" => answer("alive", &self.status.dead(clock::now())),
            "/readyz" => answer("ready", &self.status.not_ready(clock::now())),
            _ => (
                StatusCode::NOT_FOUND,
                "unknown path; the pages are /metrics, /healthz and /readyz\n".to_owned(),
            ),
        };
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let allowed = is_read || status == StatusCode::NOT_FOUND;
        let mut response = Response::new(Full::from(if allowed { text } else { String::new() }));
        *response.status_mut() = if allowed { status } else { StatusCode::METHOD_NOT_ALLOWED };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
        if !allowed {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}

fn answer(good: &str, reasons: &[String]) -> (StatusCode, String) {
    match reasons {
        [] => (StatusCode::OK, format!("{good}\n")),
        reasons => (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n"),
    }
}
