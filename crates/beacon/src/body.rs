//! The contents of requests.

use crate::cmcd;

/// The content of a request. It does not implement `Debug` or `Clone`, because it is personal data.
pub enum Body<'a> {
    /// JSON beacons: an object, an array of objects, or NDJSON.
    Json(&'a [u8]),
    /// Lines of CMCD in event mode.
    Events(&'a [u8]),
    /// The encoded value of the query parameter `CMCD`.
    Query(&'a [u8]),
    /// The values of the headers `CMCD-Object`, `CMCD-Request`, `CMCD-Session` and `CMCD-Status`, in this order. A
    /// value is `None` if the request does not have the header.
    Headers([Option<&'a [u8]>; 4]),
}

impl<'a> Body<'a> {
    /// Returns the CMCD data in a query (the part of a URL after the `?`), or `None` if the query has no parameter
    /// `CMCD`.
    #[must_use]
    pub fn in_query(query: &'a [u8]) -> Option<Self> {
        cmcd::find(query).map(Self::Query)
    }

    /// Returns the CMCD data in the headers of a request. If the headers contain no session, returns the CMCD data in
    /// the query instead, if there is any.
    #[must_use]
    pub fn in_request(headers: [Option<&'a [u8]>; 4], query: impl FnOnce() -> Option<Self>) -> Option<Self> {
        let parts = || headers.iter().flatten();
        let names_session = parts().any(|part| memchr::memmem::find(part, b"sid").is_some());
        let headers = (parts().count() > 0).then_some(Self::Headers(headers));
        if names_session { headers } else { query().or(headers) }
    }
}
