//! The pages `/metrics`, `/healthz` and `/readyz`.

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

/// The bucket bounds of the histograms of transactions and freshness, seconds.
const BUCKETS: [f64; 14] =
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0, 60.0, 120.0, 600.0];

/// The maximum number of concurrent connections. Probes and scrapers need a few; more must not exhaust the worker's
/// file descriptors.
const CONNECTIONS: usize = 64;

/// The time limit for the head of a request, the default of `collect.read_timeout`.
const SLOW: Duration = Duration::from_secs(10);

/// The time limit for a whole connection. Each carries one request.
const WHOLE: Duration = Duration::from_secs(30);

/// The largest head of a request, bytes.
const HEAD: usize = 16_384;

/// The response sent when the connection limit is reached.
const REFUSED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The server of the pages.
pub struct Server {
    /// Its threads end when it is dropped.
    _runtime: Runtime,
    /// The address in use, if any, with the actual port if 0 was configured.
    pub address: Option<SocketAddr>,
}

#[derive(Clone)]
struct Pages {
    status: Arc<Status>,
    metrics: PrometheusHandle,
}

impl Server {
    /// Starts serving. Without an address there are no pages.
    ///
    /// # Errors
    /// The address cannot be bound, or the runtime or the recorder of metrics cannot start.
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
    let taken = |error| WorkerError::Listen { address, error };
    let listener = runtime.block_on(TcpListener::bind(address)).map_err(taken)?;
    let address = listener.local_addr().map_err(WorkerError::Runtime)?;
    let pages = Pages { status, metrics: metrics.clone() };
    runtime.spawn(accept(listener, pages));
    runtime.spawn(async move {
        loop {
            sleep(Duration::from_secs(5)).await;
            // histograms grow without limit unless they are drained
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
            // the connection was closed, or there are no more file descriptors, which is temporary
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            let _ = stream.try_write(REFUSED);
            continue;
        };
        let pages = pages.clone();
        tokio::spawn(async move {
            // an error of the connection affects only its client
            let _ = timeout(WHOLE, connection(stream, pages)).await;
            drop(permit);
        });
    }
}

/// Serves one request.
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
