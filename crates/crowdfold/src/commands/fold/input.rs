//! Opens files of beacons, which may be compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder;

use super::progress::Progress;

/// The size of a read buffer, in bytes.
const BUFFER: usize = 1 << 20;

/// The binary logarithm of the largest zstd window that is accepted: 128 MiB, which is also the limit of `zstd -d`. The
/// limit bounds memory, because the decoder allocates the window.
const MOST_WINDOW_LOG: u32 = 27;

/// Opens a file, or standard input for the path `-`. A `.gz` file is decompressed as gzip with any number of members,
/// and a `.zst` file as zstd with any number of frames. Files are decompressed in pieces, so the used memory does not
/// depend on their size.
pub(super) fn open(path: &Path, progress: &Progress) -> io::Result<Box<dyn BufRead + Send>> {
    if path == Path::new("-") {
        return Ok(Box::new(buffered(progress.watch(io::stdin()))));
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
    // An empty file is probably an incomplete file, so it is an error, although the decoder would accept it.
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
