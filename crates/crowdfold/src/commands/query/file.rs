//! Reads rollups from files with one JSON object per line, as `fold` writes them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use crowdfold_query::Reader;

/// The maximum length of a line, in bytes. A longer line counts as a record that is not a rollup.
const LONGEST: u64 = 4 << 20;

/// Passes the lines of files to a reader of rollups. Returns the number of lines that are not empty.
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

/// Returns the paths of files, for messages.
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
