//! Rollups in files, one JSON object per line, as `fold` writes them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use crowdfold_query::Reader;

/// The longest line that is read, bytes. Longer ones are counted as records that are not rollups.
const LONGEST: u64 = 4 << 20;

/// Reads the rollups of files into a reader. Returns the number of records.
pub(super) fn read(files: &[PathBuf], reader: &mut Reader) -> anyhow::Result<u64> {
    let mut records = 0;
    for path in files {
        let read = if path == Path::new("-") {
            lines(io::stdin().lock(), reader)
        } else {
            File::open(path).and_then(|file| lines(BufReader::with_capacity(1 << 16, file), reader))
        };
        records += read.with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(records)
}

/// Returns the names of files for a message.
pub(super) fn names(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|path| path.display().to_string()).collect()
}

fn lines(mut input: impl BufRead, reader: &mut Reader) -> io::Result<u64> {
    let (mut records, mut line) = (0, Vec::new());
    loop {
        line.clear();
        if input.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(records);
        }
        let is_whole = line.len() < LONGEST as usize || line.ends_with(b"\n");
        if !is_whole {
            input.skip_until(b'\n')?;
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            records += 1;
            reader.push(if is_whole { text } else { b"" });
        }
    }
}
