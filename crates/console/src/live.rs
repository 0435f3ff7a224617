//! Server-sent events. Each new window causes one event.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use crowdfold_model::Timestamp;
use tokio::sync::broadcast;

use crate::Access;

/// The number of events that are kept for a slow reader. A reader that is further behind misses events.
const BUFFERED: usize = 256;

/// The maximum number of concurrent readers of events.
const READERS: usize = 64;

/// A new window of a tenant.
#[derive(Clone, Debug)]
pub(crate) struct NewWindow {
    pub(crate) tenant: String,
    start: Timestamp,
    end: Timestamp,
}

impl NewWindow {
    /// Formats the event.
    pub(crate) fn event(&self) -> Bytes {
        let data = serde_json::json!({
            "tenant": self.tenant, "start": self.start.as_millis(), "end": self.end.as_millis(),
        });
        Bytes::from(format!("event: window\ndata: {data}\n\n"))
    }
}

/// The sender of events.
#[derive(Clone, Debug)]
pub struct Live {
    sender: broadcast::Sender<NewWindow>,
    readers: Arc<AtomicUsize>,
}

impl Default for Live {
    fn default() -> Self {
        Self { sender: broadcast::channel(BUFFERED).0, readers: Arc::default() }
    }
}

/// A reader of events.
#[derive(Debug)]
pub(crate) struct LiveReader {
    pub(crate) receiver: broadcast::Receiver<NewWindow>,
    pub(crate) access: Access,
    readers: Arc<AtomicUsize>,
}

impl Drop for LiveReader {
    fn drop(&mut self) {
        self.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Live {
    /// Sends an event for each window.
    pub fn announce(&self, windows: &[(String, Timestamp, Timestamp)]) {
        for (tenant, start, end) in windows {
            // sending fails if there are no readers, which is not an error
            let _ = self.sender.send(NewWindow { tenant: tenant.clone(), start: *start, end: *end });
        }
    }

    /// Returns a new reader, or `None` if there are too many readers.
    pub(crate) fn reader(&self, access: Access) -> Option<LiveReader> {
        if self.readers.fetch_add(1, Ordering::Relaxed) >= READERS {
            self.readers.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(LiveReader { receiver: self.sender.subscribe(), access, readers: Arc::clone(&self.readers) })
    }
}
