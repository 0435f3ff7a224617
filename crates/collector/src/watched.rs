//! Records the activity of a connection, so that idle and slow connections can be closed.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// The activity of a connection. Times are in nanoseconds since the connection began; 0 means never.
pub(crate) struct Activity {
    began: Instant,
    /// The number of requests in flight.
    in_flight: AtomicUsize,
    /// The time at which the last request was answered.
    answered: AtomicU64,
    /// The time at which the first bytes of the next request were received.
    received: AtomicU64,
    /// True if the connection uses HTTP/2. Its received bytes do not always begin a request, because they may belong to
    /// another frame.
    multiplexed: AtomicBool,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            in_flight: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            received: AtomicU64::new(0),
            multiplexed: AtomicBool::new(false),
        }
    }

    /// Returns the time since the connection began in nanoseconds, at least 1.
    pub(crate) fn now(&self) -> u64 {
        (self.began.elapsed().as_nanos() as u64).max(1)
    }

    /// Records that the head of a request was received. The request is in flight until the result is dropped.
    pub(crate) fn begin(&self, multiplexed: bool) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.received.store(0, Ordering::Relaxed);
        self.multiplexed.store(multiplexed, Ordering::Relaxed);
        InFlight(self)
    }

    /// Returns the time at which the connection must be closed if nothing happens until then. The second value is true
    /// if the connection is then closed as slow, and false if it is closed as idle. Returns `None` while requests are
    /// in flight, because requests have their own time limits.
    pub(crate) fn deadline(&self, slow: Duration, idle: Duration) -> Option<(Instant, bool)> {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let (received, answered) =
            (self.received.load(Ordering::Relaxed), self.answered.load(Ordering::Relaxed));
        let multiplexed = self.multiplexed.load(Ordering::Relaxed);
        let (since, is_slow) = match (received, answered) {
            (_, 0) => (0, true),
            (received, _) if received > 0 && !multiplexed => (received, true),
            (_, answered) => (answered, false),
        };
        Some((self.began + Duration::from_nanos(since) + if is_slow { slow } else { idle }, is_slow))
    }
}

/// A request in flight. Dropping it records that the request was answered.
pub(crate) struct InFlight<'a>(&'a Activity);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.answered.store(self.0.now(), Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that records when bytes of the next request are received.
pub(crate) struct Watched<S, A> {
    pub(crate) stream: S,
    pub(crate) activity: A,
}

impl<S: AsyncRead + Unpin, A: AsRef<Activity> + Unpin> AsyncRead for Watched<S, A> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            let activity = self.activity.as_ref();
            if activity.in_flight.load(Ordering::Relaxed) == 0
                && activity.received.load(Ordering::Relaxed) == 0
            {
                activity.received.store(activity.now(), Ordering::Relaxed);
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin, A: Unpin> AsyncWrite for Watched<S, A> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
