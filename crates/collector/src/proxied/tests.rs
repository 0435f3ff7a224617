use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

/// Runs a future to its end. The future never waits, because its input is in memory.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("waits for something"),
    }
}

/// Reads a header, and returns the source address and the number of bytes after the header.
fn read(bytes: &[u8]) -> (Result<Option<String>, io::ErrorKind>, usize) {
    let mut rest = bytes;
    let read = now(source(&mut rest));
    (read.map(|source| source.map(|source| source.to_string())).map_err(|error| error.kind()), rest.len())
}

fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = (rest.len() as u16).to_be_bytes();
    [SIGNATURE, &[command, family], &length, rest].concat()
}

#[test]
fn reading_a_header_returns_the_source_address_and_consumes_no_http_data() {
    for (header, expected) in [
        (b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n".to_vec(), Some("203.0.113.9:4711")),
        (b"PROXY TCP6 2001:db8::9 2001:db8::1 4711 443\r\n".to_vec(), Some("[2001:db8::9]:4711")),
        (b"PROXY UNKNOWN\r\n".to_vec(), None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
        (
            version_2(0x21, 0x11, &[203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 1, 187]),
            Some("203.0.113.9:4711"),
        ),
        // a header with an extension, as cloud providers send it
        (
            version_2(0x21, 0x11, &[203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 1, 187, 0xea, 0, 2, 1, 2]),
            Some("203.0.113.9:4711"),
        ),
        // a health check that the proxy itself sends
        (version_2(0x20, 0x00, &[]), None),
    ] {
        let bytes = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(read(&bytes), (Ok(expected.map(str::to_owned)), 16), "{header:?}");
    }
}

#[test]
fn invalid_header_is_refused_before_more_data_arrives() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..],
        b"PROXY TCP4 203.0.113.9 192.0.2.1 99999 443\r\n",
        b"PROXY TCP4 2001:db8::9 192.0.2.1 1 443\r\n",
        &[b"PROXY UNKNOWN ", &[b'x'; 200][..]].concat(),
        &version_2(0x21, 0x11, &[1; 5]),
        &version_2(0x11, 0x11, &[1; 12]),
        &[SIGNATURE, &[0x21, 0x11, 0xff, 0xff], &[0; 70_000]].concat(),
    ] {
        assert_eq!(read(bytes).0, Err(io::ErrorKind::InvalidData));
    }
    assert_eq!(read(b"PROXY TCP4 203.").0, Err(io::ErrorKind::UnexpectedEof));
    assert_eq!(read(b"").0, Err(io::ErrorKind::UnexpectedEof));
}

proptest! {
    #[test]
    fn arbitrary_header_bytes_cause_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..60_usize) {
        let _ = read(&bytes);
        let _ = read(&[SIGNATURE, &bytes].concat());
        let _ = read(&[b"PROXY TCP4 ", &bytes[..]].concat());
        let whole = version_2(0x21, 0x21, &bytes);
        let _ = read(&whole[..cut.min(whole.len())]);
    }
}
