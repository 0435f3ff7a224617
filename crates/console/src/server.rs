//! The listening server.

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

use crate::{ConsoleError, Live, Settings, Store, http};

/// The maximum number of concurrent connections.
const CONNECTIONS: usize = 256;

/// The number of wrong tokens that are answered at the same time.
const GUESSES: usize = 4;

/// The time limit for the head of a request.
const SLOW: Duration = Duration::from_secs(10);

/// The largest head of a request, bytes.
const HEAD: usize = 16_384;

/// The largest report of an audit that the page shows, bytes.
const LARGEST_REPORT: u64 = 1 << 20;

/// The state that requests share.
#[derive(Debug)]
pub struct Console {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) live: Live,
    pub(crate) guesses: Semaphore,
    clock: fn() -> Timestamp,
    /// The time by which the clock of the answers is behind, ms.
    behind: AtomicU64,
    /// Why the store is not up to date.
    problem: Mutex<Option<String>>,
}

impl Console {
    /// Opens the store. `clock` returns the current time.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn open(settings: Settings, clock: fn() -> Timestamp) -> Result<Arc<Self>, ConsoleError> {
        let store = Store::open(settings.data_dir.as_deref(), settings.lifetimes)?;
        let (live, guesses) = (Live::default(), Semaphore::new(GUESSES));
        Ok(Arc::new(Self {
            settings,
            store,
            live,
            guesses,
            clock,
            behind: AtomicU64::new(0),
            problem: Mutex::new(None),
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

    /// Records why the store is not up to date, which the page shows; `None` if it is.
    pub fn set_problem(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)().saturating_sub(Span::from_millis(self.behind.load(Ordering::Relaxed)))
    }

    /// Sets the time by which the clock of the answers is behind, for windows of simulated time.
    pub fn set_behind(&self, behind: Span) {
        self.behind.store(behind.as_millis(), Ordering::Relaxed);
    }

    /// Returns the facts that the page shows beside the answers.
    pub(crate) fn status(&self) -> Value {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        json!({
            "now": self.now().as_millis(), "problem": problem, "facts": self.settings.facts, "audit": self.audit(),
        })
    }

    /// Returns the report of the last audit, if one is configured and readable.
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

/// The listening server.
#[derive(Debug)]
pub struct Server {
    /// Its threads end when it is dropped.
    _runtime: Runtime,
    /// The address in use, with the actual port if 0 was configured.
    pub address: SocketAddr,
}

impl Server {
    /// Starts listening.
    ///
    /// # Errors
    /// The address cannot be used.
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
        // further connections wait until one ends
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // the connection was closed, or there are no more file descriptors, which is temporary
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let console = Arc::clone(&console);
        tokio::spawn(async move {
            // an error of the connection affects only its client
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
