//! Reads the header of the PROXY protocol (version 1 or 2) at the start of a connection.

use std::io;
use std::net::SocketAddr;

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The maximum size of a header in bytes. Version 2 allows 64 KiB. Addresses need only 36 bytes, and the extensions of
/// cloud providers need a few hundred bytes.
const LONGEST: usize = 4_096;

/// The signature of version 2.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The length in bytes of the signature and the fixed fields that follow it.
const HEAD: usize = 16;

/// Reads the header, but no data after the header. Returns the source address of the connection. Returns `None` if the
/// header contains no address, for example because the proxy itself opened the connection for a health check.
///
/// # Errors
/// Returns an error if the connection ends or if the header is invalid. The error contains no part of the data.
pub(crate) async fn source(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut header = vec![0; SIGNATURE.len()];
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE {
        extend(stream, &mut header, HEAD).await?;
        let rest = usize::from(u16::from_be_bytes([header[HEAD - 2], header[HEAD - 1]]));
        if HEAD + rest > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        extend(stream, &mut header, HEAD + rest).await?;
        return parse(&header)?.ok_or_else(|| io::ErrorKind::InvalidData.into());
    }
    // version 1 is a line of at most 107 bytes
    loop {
        match parse(&header)? {
            Some(source) => return Ok(source),
            None => {
                let length = header.len() + 1;
                extend(stream, &mut header, length).await?;
            }
        }
    }
}

/// Reads more bytes until the header has the length `to`.
async fn extend(stream: &mut (impl AsyncRead + Unpin), header: &mut Vec<u8>, to: usize) -> io::Result<()> {
    let from = header.len();
    header.resize(to, 0);
    stream.read_exact(&mut header[from..]).await.map(drop)
}

/// Parses a header. Returns `None` if the header is incomplete.
fn parse(header: &[u8]) -> io::Result<Option<Option<SocketAddr>>> {
    let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    match ProxyHeader::parse(header, config) {
        Ok((read, length)) if length == header.len() => {
            Ok(Some(read.proxied_address().map(|address| address.source)))
        }
        Err(Error::BufferTooShort) => Ok(None),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests;
