//! Reads request bodies, with limits on size, time and memory.

use std::io::Read as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use crate::limits::Share;

/// The reason why a body was not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unread {
    /// The body is larger than the limit, before or after decompression.
    TooLong,
    /// The body did not arrive in time.
    Slow,
    /// The body is incomplete, or its content does not have the declared encoding.
    Broken,
    /// The memory limit of the collector was reached.
    Full,
}

/// Reads a whole body of at most `limit` bytes, and reserves its memory in `share`. `waits` is true if the client waits
/// for the response `100 Continue` before it sends the body. The HTTP library sends that response when the body is
/// first read. Therefore the body is not read if its declared length exceeds the limit.
pub(crate) async fn read(
    mut body: Incoming,
    waits: bool,
    limit: usize,
    slow: Duration,
    share: &mut Share,
) -> Result<Bytes, Unread> {
    let announced = body.size_hint().lower();
    if waits && announced > limit as u64 {
        return Err(Unread::TooLong);
    }
    let reading = async {
        if announced > limit as u64 {
            return Err(Unread::TooLong);
        }
        let (mut first, mut more) = (Bytes::new(), BytesMut::new());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
            let length = first.len() + more.len() + data.len();
            if length > limit {
                return Err(Unread::TooLong);
            }
            if !share.grow(data.len()) {
                return Err(Unread::Full);
            }
            // usually the body arrives in one piece, and no copy is needed
            if length == data.len() {
                first = data;
            } else {
                if more.is_empty() {
                    more.extend_from_slice(&std::mem::take(&mut first));
                }
                more.extend_from_slice(&data);
            }
        }
        Ok(if more.is_empty() { first } else { more.freeze() })
    };
    let read = timeout(slow, reading).await.unwrap_or(Err(Unread::Slow));
    if read == Err(Unread::TooLong) {
        discard(body, limit, slow).await;
    }
    read
}

/// Reads and discards the rest of a body. Afterwards the client can receive the response, and can use the connection
/// again. Stops after twice the size limit of a body.
pub(crate) async fn discard(mut body: Incoming, limit: usize, slow: Duration) {
    let reading = async {
        let mut left = limit * 2;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(less) => left = less,
                None => return,
            }
        }
    };
    let _ = timeout(slow, reading).await;
}

/// Decompresses a gzip body to at most `limit` bytes. Reserves the memory in `share` before it stores each piece.
pub(crate) fn inflate(body: &[u8], limit: usize, share: &mut Share) -> Result<Bytes, Unread> {
    let mut reader = MultiGzDecoder::new(body);
    let (mut plain, mut piece) = (BytesMut::new(), [0; 8_192]);
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(plain.freeze()),
            Ok(length) if plain.len() + length > limit => return Err(Unread::TooLong),
            Ok(length) if !share.grow(length) => return Err(Unread::Full),
            Ok(length) => plain.extend_from_slice(&piece[..length]),
            Err(_) => return Err(Unread::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::limits::Budget;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut writer = GzEncoder::new(Vec::new(), Compression::best());
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn size_limit_of_a_compressed_body_applies_to_its_decompressed_size() {
        let inflate = |body: &[u8], limit, memory| {
            let budget = Budget::new(memory);
            let mut share = budget.nothing();
            let read = inflate(body, limit, &mut share).map(|plain| plain.to_vec());
            (read, budget.held())
        };
        assert_eq!(inflate(&gzip(b"{}"), 10, 100), (Ok(b"{}".to_vec()), 2));
        let bomb = gzip(&vec![0; 50_000_000]);
        assert!(bomb.len() < 60_000);
        let (read, held) = inflate(&bomb, 65_536, 1 << 20);
        assert!(read == Err(Unread::TooLong) && held <= 65_536, "{held}");
        let (read, held) = inflate(&bomb, 65_536, 20_000);
        assert!(read == Err(Unread::Full) && held <= 20_000, "{held}");
        assert_eq!(inflate(b"{}", 10, 100).0, Err(Unread::Broken));
        assert_eq!(inflate(&gzip(b"{}")[..12], 10, 100).0, Err(Unread::Broken));
    }
}
