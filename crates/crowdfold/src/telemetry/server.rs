//! `/metrics`, `/healthz`, `/readyz`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio::runtime::Runtime;

use super::{Status, describe};
use crate::clock;

/// Bounds of the histograms, seconds: transactions and freshness.
const BUCKETS: [f64; 14] =
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0, 60.0, 120.0, 600.0];

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// The address is taken, or not ours.
    #[error("metrics.listen {address} cannot be listened on: {error}; choose another address")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// No runtime.
    #[error("the runtime cannot start: {0}")]
    Runtime(#[from] std::io::Error),
    /// Metrics can be installed once.
    #[error("metrics cannot be installed: {0}")]
    Metrics(#[from] BuildError),
}

/// The thread that serves the pages.
pub(crate) struct Server {
    /// Its threads end with it.
    _runtime: Runtime,
    /// Where it listens, if it does; tells the port where 0 was configured.
    pub(crate) address: Option<SocketAddr>,
}

#[derive(Clone)]
struct Pages {
    status: Arc<Status>,
    metrics: PrometheusHandle,
}

impl Server {
    /// Starts serving; without an address there are no pages.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(crate) fn start(address: Option<SocketAddr>, status: Arc<Status>) -> Result<Self, ServerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let address = match address {
            Some(address) => Some(serve(&runtime, address, status)?),
            None => None,
        };
        Ok(Self { _runtime: runtime, address })
    }
}

fn serve(runtime: &Runtime, address: SocketAddr, status: Arc<Status>) -> Result<SocketAddr, ServerError> {
    let metrics = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    describe();
    let taken = |error| ServerError::Listen { address, error };
    let listener = runtime.block_on(tokio::net::TcpListener::bind(address)).map_err(taken)?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(Pages { status, metrics: metrics.clone() });
    runtime.spawn(async move { axum::serve(listener, router).await });
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            // histograms grow without bound unless somebody drains them
            metrics.run_upkeep();
        }
    });
    Ok(address)
}

async fn metrics_page(State(pages): State<Pages>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], pages.metrics.render())
}

async fn healthz(State(pages): State<Pages>) -> impl IntoResponse {
    answer("alive", &pages.status.dead(clock::now()))
}

async fn readyz(State(pages): State<Pages>) -> impl IntoResponse {
    answer("ready", &pages.status.not_ready(clock::now()))
}

fn answer(good: &str, reasons: &[String]) -> (StatusCode, String) {
    match reasons {
        [] => (StatusCode::OK, format!("{good}\n")),
        reasons => (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n"),
    }
}
