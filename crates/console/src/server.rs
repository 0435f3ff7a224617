//! The HTTP server, and the state that its requests share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crowdfold_model::{Span, Timestamp};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::{Access, ConsoleError, Live, Pipeline, Settings, Store, http};

/// The maximum number of concurrent connections.
const CONNECTIONS: usize = 256;

/// The maximum number of requests with a wrong token that are handled at the same time.
const GUESSES: usize = 4;

/// The maximum number of requests with a wrong token whose response is delayed. It is much lower than [`CONNECTIONS`],
/// so that such requests do not use up the connections.
const DELAYED: usize = 32;

/// The maximum time for receiving the head of a request, and for receiving the form of the sign-in.
pub(crate) const SLOW: Duration = Duration::from_secs(10);

/// The problem as shown to requests that may not see all tenants.
const PROBLEM: &str = "the store is not up to date; the log of the console contains the reason";

/// The maximum size of the head of a request, in bytes.
const HEAD: usize = 16_384;

/// The maximum size of a report of an audit that the page shows, in bytes.
const LARGEST_REPORT: u64 = 1 << 20;

/// The state that requests share.
#[derive(Debug)]
pub struct Console {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) live: Live,
    pub(crate) guesses: Semaphore,
    pub(crate) delayed: Semaphore,
    clock: fn() -> Timestamp,
    /// The time in milliseconds that is subtracted from the current time, for windows of simulated time.
    behind: AtomicU64,
    /// The reason why the store is not up to date. `None` if it is up to date.
    problem: Mutex<Option<String>>,
    /// The state of the workers. `None` if it is not known.
    pipeline: Mutex<Option<Pipeline>>,
    /// The number of records that are not rollups.
    skipped: AtomicU64,
    /// The number of rows whose window was in the future.
    ahead: AtomicU64,
}

impl Console {
    /// Opens the store. `clock` returns the current time.
    ///
    /// # Errors
    /// Returns an error if the store cannot be opened.
    pub fn open(settings: Settings, clock: fn() -> Timestamp) -> Result<Arc<Self>, ConsoleError> {
        let store = Store::open(settings.data_dir.as_deref(), settings.lifetimes)?;
        let live = Live::default();
        let (guesses, delayed) = (Semaphore::new(GUESSES), Semaphore::new(DELAYED));
        Ok(Arc::new(Self {
            settings,
            store,
            live,
            guesses,
            delayed,
            clock,
            behind: AtomicU64::new(0),
            problem: Mutex::new(None),
            pipeline: Mutex::new(None),
            skipped: AtomicU64::new(0),
            ahead: AtomicU64::new(0),
        }))
    }

    /// Returns the store.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the sender of events.
    #[must_use]
    pub const fn live(&self) -> &Live {
        &self.live
    }

    /// Stores the reason why the store is not up to date, which the page shows. `None` means that the store is up to
    /// date.
    pub fn set_problem(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// Stores the state of the workers, which the page shows.
    pub fn set_pipeline(&self, pipeline: Pipeline) {
        *self.pipeline.lock().unwrap_or_else(PoisonError::into_inner) = Some(pipeline);
    }

    /// Counts records that are not rollups, and rows whose window was in the future. The page shows the sums since the
    /// start of the program.
    pub fn count_ignored(&self, skipped: u64, ahead: u64) {
        self.skipped.fetch_add(skipped, Ordering::Relaxed);
        self.ahead.fetch_add(ahead, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)().saturating_sub(Span::from_millis(self.behind.load(Ordering::Relaxed)))
    }

    /// Sets the time that is subtracted from the current time. This is for windows of simulated time.
    pub fn set_behind(&self, behind: Span) {
        self.behind.store(behind.as_millis(), Ordering::Relaxed);
    }

    /// Returns the state of the console, which the page shows in addition to the answers. Requests that may not see all
    /// tenants get neither the report of the audit nor the text of a problem, because these name topics and principals.
    /// They do not get the state of the workers either, because it includes the beacons of other tenants.
    pub(crate) fn status(&self, access: &Access) -> Value {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let pipeline = self.pipeline.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (problem, audit, pipeline) = match access {
            Access::All => (problem, self.audit(), pipeline),
            Access::Tenants(_) => (problem.map(|_| PROBLEM.to_owned()), None, None),
        };
        let ignored = json!({
            "records": self.skipped.load(Ordering::Relaxed), "rows_in_future": self.ahead.load(Ordering::Relaxed),
        });
        json!({
            "now": self.now().as_millis(), "problem": problem, "facts": self.settings.facts, "audit": audit,
            "ignored": ignored, "tenants_without_rows": self.tenants_without_rows(access), "pipeline": pipeline,
        })
    }

    /// Returns the tenants of the configuration without a row in the store. Returns no tenants if the configuration
    /// contains no tenant with rows, because it then does not describe these rows, and if the store cannot be read.
    fn tenants_without_rows(&self, access: &Access) -> Vec<&str> {
        let Ok(stored) = self.store.tenants() else { return Vec::new() };
        let (with, without): (Vec<&str>, Vec<&str>) =
            self.settings.tenants.iter().map(String::as_str).partition(|tenant| stored.contains_key(*tenant));
        if with.is_empty() {
            return Vec::new();
        }
        without.into_iter().filter(|tenant| access.sees(tenant)).collect()
    }

    /// Returns the report of the last audit. Returns `None` if no report is configured, or if it cannot be read.
    fn audit(&self) -> Option<Value> {
        let path = self.settings.audit_report.as_ref()?;
        let file = std::fs::File::open(path).ok()?;
        if file.metadata().ok()?.len() > LARGEST_REPORT {
            return None;
        }
        let age = file.metadata().ok()?.modified().ok().map(Timestamp::from);
        let report: Value = serde_json::from_reader(file).ok()?;
        Some(json!({"at": age.map(Timestamp::as_millis), "report": report}))
    }
}

/// The HTTP server of the console.
#[derive(Debug)]
pub struct Server {
    /// Kept alive because the threads of the server end when the runtime is dropped.
    _runtime: Runtime,
    /// The address on which the server listens. It contains the actual port if the configured port is 0.
    pub address: SocketAddr,
}

impl Server {
    /// Starts listening.
    ///
    /// # Errors
    /// Returns an error if the server cannot listen on the address.
    pub fn start(console: Arc<Console>) -> Result<Self, ConsoleError> {
        let address = console.settings.listen;
        let failed = |error| ConsoleError::Listen { address, error };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(4)
            .thread_name("console")
            .enable_all()
            .build()
            .map_err(failed)?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        runtime.spawn(accept(listener, console));
        Ok(Self { _runtime: runtime, address })
    }
}

async fn accept(listener: TcpListener, console: Arc<Console>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // further connections wait until an open connection ends
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // accepting fails if the client has already closed the connection, or if the process has no more file
            // descriptors; both causes are temporary
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let console = Arc::clone(&console);
        tokio::spawn(async move {
            // ignore an error of the connection, because it affects only the client
            let _ = connection(stream, console).await;
            drop(permit);
        });
    }
}

async fn connection(stream: TcpStream, console: Arc<Console>) -> hyper::Result<()> {
    let service = service_fn(move |request| {
        let console = Arc::clone(&console);
        async move { Ok::<_, std::convert::Infallible>(http::answer(console, request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOW)
        .max_buf_size(HEAD)
        .keep_alive(true)
        .serve_connection(TokioIo::new(stream), service)
        .await
}
