//! Writes beacons and exact cells to files.

use std::io::{self, Write};

use crate::{Cell, Ledger, Players, Truth};

/// The limits of a run. The run ends when one of the limits is reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limit {
    /// The time in milliseconds since the epoch at which sending ends. `None` means no limit.
    pub until_ms: Option<u64>,
    /// The maximum number of records. `None` means no limit.
    pub records: Option<u64>,
}

impl Limit {
    /// Returns true if a record may be sent at the time `sent_ms`, when `sent` records were sent before.
    #[must_use]
    pub fn allows(&self, sent: u64, sent_ms: u64) -> bool {
        self.records.is_none_or(|most| sent < most) && self.until_ms.is_none_or(|until| sent_ms < until)
    }
}

/// Writes each beacon as a line until a limit is reached. Writes the exact cells to another writer, as lines of JSON.
/// Returns the number of records.
///
/// # Errors
/// Returns an error if writing fails. Without a limit, the function returns only in this case.
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
/// Returns an error if writing fails.
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
/// Returns an error if writing fails.
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
