//! Writes beacons and exact cells to files.

use std::io::{self, Write};

use crate::{Cell, Ledger, Players, Truth};

/// The limits of a run. It ends when the first of them is reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limit {
    /// The time from which on no record is sent, in milliseconds since the epoch. `None` means no limit.
    pub until_ms: Option<u64>,
    /// The maximum number of records. `None` means no limit.
    pub records: Option<u64>,
}

impl Limit {
    /// Returns true if a record may be sent at `sent_ms`, after `sent` earlier records.
    #[must_use]
    pub fn allows(&self, sent: u64, sent_ms: u64) -> bool {
        self.records.is_none_or(|most| sent < most) && self.until_ms.is_none_or(|until| sent_ms < until)
    }
}

/// Writes each beacon as a line until a limit is reached, and the exact cells as lines of JSON to another writer.
/// Returns the number of records.
///
/// # Errors
/// Writing fails. Without a limit, the function returns only in this case.
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

/// Writes each cell as a line of JSON.
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
