//! The server: accepts connections, limits their number, and shuts down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::counts::Ended;
use crate::{Certificates, Collector, CollectorError, connection};

/// The maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// On shutdown, the maximum time for answering the requests in flight.
const DRAIN: Duration = Duration::from_secs(5);
/// On shutdown, the maximum time for sending error responses to the requests that remain after the time [`DRAIN`].
const HURRY: Duration = Duration::from_secs(1);
/// The maximum time of the whole shutdown, including the time for writing the accepted beacons.
const END: Duration = Duration::from_secs(9);

/// The response that is sent when the connection limit is reached.
const REFUSED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A server that listens on an address and passes requests to a [`Collector`].
pub struct Server {
    runtime: Runtime,
    collector: Arc<Collector>,
    closing: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    /// The address on which the server listens. It contains the actual port if the configured port is 0.
    pub address: SocketAddr,
}

impl Server {
    /// Starts listening.
    ///
    /// # Errors
    /// Returns [`CollectorError::Listen`] if the server cannot listen on the configured address.
    pub fn start(
        collector: Arc<Collector>,
        certificates: Option<Arc<Certificates>>,
    ) -> Result<Self, CollectorError> {
        let address = collector.settings.listen;
        let cannot_listen = |error| CollectorError::Listen { address, error };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("collector")
            .enable_all()
            .build()
            .map_err(cannot_listen)?;
        let listener = {
            let _inside = runtime.enter();
            listen(address).map_err(cannot_listen)?
        };
        let address = listener.local_addr().map_err(cannot_listen)?;
        let (closing, closed) = watch::channel(false);
        let sender = Arc::clone(&collector);
        runtime.spawn(async move { sender.packs.keep_sending(sender.settings.linger).await });
        let accepting = runtime.spawn(accept(Arc::clone(&collector), certificates, listener, closed));
        Ok(Self { runtime, collector, closing, accepting, address })
    }

    /// Stops accepting connections, answers the requests in flight, and writes the accepted beacons. Returns false if
    /// some beacons were not written in time.
    #[must_use]
    pub fn stop(self) -> bool {
        let Self { runtime, collector, closing, accepting, .. } = self;
        let end = Instant::now() + END;
        let _ = closing.send(true);
        runtime.block_on(async {
            let _ = accepting.await;
            wait_for_none(&collector, DRAIN).await;
            let _ = collector.hurry.send(true);
            wait_for_none(&collector, HURRY).await;
        });
        let written = collector.packs.flush(end.saturating_duration_since(Instant::now()))
            && collector.packs.in_flight() == 0;
        runtime.shutdown_timeout(Duration::from_millis(500));
        written
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(
    collector: Arc<Collector>,
    certificates: Option<Arc<Certificates>>,
    listener: TcpListener,
    mut closing: watch::Receiver<bool>,
) {
    let permits = Arc::new(Semaphore::new(collector.settings.connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        // accepting fails if the client has already closed the connection, or if the process has no more file
        // descriptors; both causes are temporary, so wait briefly
        let Ok((stream, peer)) = accepted else {
            collector.counts.ended(Ended::Refused);
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            refuse(&collector, certificates.is_some(), &stream);
            continue;
        };
        let (collector, certificates) = (Arc::clone(&collector), certificates.clone());
        let closing = closing.clone();
        tokio::spawn(async move {
            let _open = OpenConnection::new(&collector);
            connection::serve(Arc::clone(&collector), certificates, stream, peer, closing).await;
            drop(permit);
        });
    }
}

/// Refuses a connection because the limit is reached. Sends a response only if the connection is not encrypted and
/// sending does not block.
fn refuse(collector: &Collector, encrypted: bool, stream: &TcpStream) {
    collector.counts.ended(Ended::Refused);
    if !encrypted {
        let _ = stream.try_write(REFUSED);
    }
}

/// Counts a connection as open until it is dropped.
struct OpenConnection<'a>(&'a Collector);

impl<'a> OpenConnection<'a> {
    fn new(collector: &'a Collector) -> Self {
        collector.counts.connections.fetch_add(1, Ordering::Relaxed);
        Self(collector)
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.counts.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits until no connection is open, for at most `time_limit`.
async fn wait_for_none(collector: &Collector, time_limit: Duration) {
    let until = Instant::now() + time_limit;
    while collector.counts.connections.load(Ordering::Relaxed) > 0 && Instant::now() < until {
        sleep(Duration::from_millis(10)).await;
    }
}
