//! The header of the PROXY protocol (versions 1 and 2) at the start of a connection.

use std::io;
use std::net::SocketAddr;

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest supported header, bytes. Version 2 may have 64 KiB, of which addresses need 36 and the extensions of
/// cloud providers a few hundred.
const LONGEST: usize = 4_096;

/// The signature of version 2, and the length of the fields after it, bytes.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const HEAD: usize = 16;

/// Reads exactly the header, and returns the source of the connection. `None` if the proxy itself is the client, as in
/// a health check.
///
/// # Errors
/// The connection ends, or the header is invalid. The error contains nothing of the data.
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

async fn extend(stream: &mut (impl AsyncRead + Unpin), header: &mut Vec<u8>, to: usize) -> io::Result<()> {
    let from = header.len();
    header.resize(to, 0);
    stream.read_exact(&mut header[from..]).await.map(drop)
}

/// Parses a header; `None` if it is incomplete.
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
