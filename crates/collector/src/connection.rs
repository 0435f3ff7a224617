//! Handles one connection, from its handshake to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::address::Peer;
use crate::counts::Ended;
use crate::limits::Rate;
use crate::watched::{Activity, Watched};
use crate::{Certificates, Collector, proxied};

/// The maximum size of the head of a request, in bytes. This is also the maximum size of one read.
const HEAD: usize = 16_384;

/// The maximum number of headers of a request.
const HEADERS: usize = 64;

/// The maximum number of concurrent requests on an HTTP/2 connection.
const STREAMS: u32 = 64;

/// The HTTP/2 flow-control window in bytes: the amount of data that a client may send before the collector has read
/// it.
const WINDOW: u32 = 65_535;

/// The maximum size of the responses that wait to be sent, in bytes. A response has a few hundred bytes.
const SENT: usize = 16_384;

/// The time for which a slow or idle connection may take to close gracefully, before it is dropped.
const GRACE: Duration = Duration::from_secs(1);

/// The state of a connection that all its requests share.
pub(crate) struct Connection {
    pub(crate) peer: Peer,
    pub(crate) rate: Rate,
    pub(crate) activity: Activity,
}

impl AsRef<Activity> for Arc<Connection> {
    fn as_ref(&self) -> &Activity {
        &self.activity
    }
}

/// Serves a connection until it ends. When `closing` becomes true, the connection ends after its requests in flight.
pub(crate) async fn serve(
    collector: Arc<Collector>,
    certificates: Option<Arc<Certificates>>,
    mut stream: TcpStream,
    mut peer: SocketAddr,
    closing: watch::Receiver<bool>,
) {
    let slow = collector.settings.slow;
    // send each response immediately instead of waiting for more data, because the client waits for the response
    let _ = stream.set_nodelay(true);
    if collector.settings.proxy_protocol && collector.proxies.peer(peer).is_proxy() {
        match timeout(slow, proxied::source(&mut stream)).await {
            Ok(Ok(source)) => peer = source.unwrap_or(peer),
            _ => return collector.counts.ended(Ended::Handshake),
        }
    }
    let peer = collector.proxies.peer(peer);
    match certificates {
        None => http(collector, stream, peer, closing).await,
        Some(certificates) => match timeout(slow, certificates.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => http(collector, stream, peer, closing).await,
            _ => collector.counts.ended(Ended::Handshake),
        },
    }
}

async fn http(
    collector: Arc<Collector>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    mut closing: watch::Receiver<bool>,
) {
    let (slow, idle) = (collector.settings.slow, collector.settings.idle);
    // a trusted proxy has no limit, because it forwards the requests of many clients
    let rate = Rate::new(if peer.is_proxy() { 0 } else { collector.settings.rate });
    let connection = Arc::new(Connection { peer, rate, activity: Activity::new() });
    let stream = Watched { stream, activity: Arc::clone(&connection) };
    let service = {
        let (collector, connection) = (Arc::clone(&collector), Arc::clone(&connection));
        service_fn(move |request| {
            let (collector, connection) = (Arc::clone(&collector), Arc::clone(&connection));
            async move { Ok::<_, Infallible>(collector.answer(&connection, request).await) }
        })
    };
    let mut served = pin!(builder().serve_connection(TokioIo::new(stream), service).into_owned());
    let mut alarm = pin!(sleep_until(Instant::now() + slow));
    let (mut is_closing, mut too_slow) = (false, false);
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                match ended {
                    _ if too_slow => collector.counts.ended(Ended::Slow),
                    Err(error) if !is_closing => collector.counts.ended(reason(&*error)),
                    _ => {}
                }
                return;
            }
            _ = closing.wait_for(|closing| *closing), if !is_closing => {
                is_closing = true;
                served.as_mut().graceful_shutdown();
            }
            () = alarm.as_mut() => {
                let now = Instant::now();
                match connection.activity.deadline(slow, idle) {
                    // drop a connection that did not close gracefully in time
                    Some((deadline, _)) if deadline <= now && is_closing => {
                        return collector.counts.ended(Ended::Slow);
                    }
                    Some((deadline, is_slow)) if deadline <= now => {
                        (is_closing, too_slow) = (true, is_slow);
                        served.as_mut().graceful_shutdown();
                        alarm.as_mut().reset(now + GRACE);
                    }
                    // check again soon: an idle connection may become a slow one before its deadline, and this task is
                    // not woken when data is received
                    Some((deadline, _)) => alarm.as_mut().reset(deadline.min(now + slow)),
                    None => alarm.as_mut().reset(now + slow),
                }
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // a client that has closed its sending side may still wait for the response
    builder.http1().half_close(true).max_buf_size(HEAD).max_headers(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD as u32)
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(SENT);
    builder
}

/// Returns the reason why a connection ended with an error. The error itself is dropped, because its message may
/// quote received data.
fn reason(error: &(dyn std::error::Error + 'static)) -> Ended {
    let unreadable = error.downcast_ref().is_some_and(hyper::Error::is_parse);
    if unreadable { Ended::Unreadable } else { Ended::Broken }
}
