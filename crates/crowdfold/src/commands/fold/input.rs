//! Files of beacons, compressed or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder;

use super::progress::Progress;

/// The size of a buffer, bytes.
const BUFFER: usize = 1 << 20;

/// The largest window of a zstd frame as a power of two: 128 MiB, as for `zstd -d`. The decoder allocates the window.
const MOST_WINDOW_LOG: u32 = 27;

/// Opens a file; `-` is standard input. `.gz` is read as gzip with any number of members, `.zst` as zstd with any
/// number of frames. Both are decompressed in pieces, so memory does not depend on the decompressed size.
pub(super) fn open(path: &Path, progress: &Progress) -> io::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(buffered(progress.watch(io::stdin().lock()))));
    }
    let file = buffered(progress.watch(File::open(path)?));
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    Ok(match extension.to_str() {
        Some("gz" | "gzip") => Box::new(buffered(MultiGzDecoder::new(file))),
        Some("zst" | "zstd") => Box::new(buffered(unzstd(file)?)),
        _ => Box::new(file),
    })
}

fn unzstd(mut file: impl BufRead) -> io::Result<impl Read> {
    // the decoder treats an empty file as valid
    if file.fill_buf()?.is_empty() {
        return Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            "the file is empty; a .zst file must contain a zstd frame",
        ));
    }
    let mut decoder = Decoder::with_buffer(file)?;
    decoder.window_log_max(MOST_WINDOW_LOG)?;
    Ok(decoder)
}

fn buffered<R: Read>(reader: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER, reader)
}

#[cfg(test)]
mod tests;
