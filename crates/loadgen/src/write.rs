//! Writing of beacons and truth to files.

use std::io::{self, Write};

use crate::{Cell, Ledger, Players, Truth};

/// The limit of a run, by time or number, whichever is reached first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limit {
    /// The time from which on nothing is sent, ms since the epoch.
    pub until_ms: Option<u64>,
    /// The maximum number of records.
    pub records: Option<u64>,
}

impl Limit {
    /// Returns true if a record may still be sent: number `sent`, counted from 0, at `sent_ms`.
    #[must_use]
    pub fn allows(&self, sent: u64, sent_ms: u64) -> bool {
        self.records.is_none_or(|most| sent < most) && self.until_ms.is_none_or(|until| sent_ms < until)
    }
}

/// Writes beacons as lines until the limit, and their sums as JSON lines to another writer.
///
/// # Errors
/// Writing fails. Without a limit this is the only way in which it ends.
pub fn write(
    players: Players,
    limit: Limit,
    mut beacons: impl Write,
    mut truth: Option<(Truth, &mut dyn Write)>,
) -> io::Result<u64> {
    let mut sent = 0;
    for report in players {
        if !limit.allows(sent, report.sent_ms) {
            break;
        }
        beacons.write_all(&report.payload)?;
        beacons.write_all(b"\n")?;
        sent += 1;
        if let Some((truth, lines)) = &mut truth {
            truth.watch(&report);
            write_cells(&truth.complete(), lines)?;
        }
    }
    beacons.flush()?;
    if let Some((truth, lines)) = truth {
        write_end(truth, lines)?;
    }
    Ok(sent)
}

/// Writes cells, one JSON object per line.
///
/// # Errors
/// Writing fails.
pub fn write_cells(cells: &[Cell], mut lines: impl Write) -> io::Result<()> {
    for cell in cells {
        serde_json::to_writer(&mut lines, cell)?;
        lines.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes the remaining cells, and the ledger as the last line.
///
/// # Errors
/// Writing fails.
pub fn write_end(truth: Truth, mut lines: impl Write) -> io::Result<()> {
    #[derive(serde::Serialize)]
    struct Last {
        ledger: Ledger,
    }
    let (cells, ledger) = truth.finish();
    write_cells(&cells, &mut lines)?;
    serde_json::to_writer(&mut lines, &Last { ledger })?;
    lines.write_all(b"\n")?;
    lines.flush()
}
