//! `topics apply --purge-ahead`: deletes records dated in the future. The other records of their partitions must be
//! deleted with them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crowdfold_kafka::topics::{Admin, Change, Finding, Purge, Purged, Spec, Unread};
use crowdfold_worker::clock;

use super::unbounded;
use crate::error::CrowdfoldError;

/// Prints the records to delete, and deletes them if `is_confirmed` is true. Returns the number of topics whose
/// time-to-live is still not bounded.
///
/// # Errors
/// Returns an error if a broker does not respond or refuses a request, or if `out` cannot be written to.
pub(super) fn run(
    admin: &Admin,
    specs: &[Spec],
    changes: &[Change],
    is_confirmed: bool,
    out: &mut impl Write,
) -> Result<usize, CrowdfoldError> {
    let mut purges = Vec::new();
    for (spec, change) in specs.iter().zip(changes) {
        if let Some(purge) = admin.plan_purge(spec, &change.unbounded)? {
            print(&purge, out)?;
            purges.push((spec, change, purge));
        }
    }
    if purges.is_empty() {
        writeln!(out, "no topic holds records dated in the future: nothing to purge")?;
        return Ok(unbounded(changes));
    }
    if !is_confirmed {
        writeln!(out, "nothing was deleted: add --yes to delete these records")?;
        return Ok(unbounded(changes));
    }
    writeln!(
        out,
        "deleting; this takes several minutes. If it is interrupted, run `crowdfold topics apply` to restore \
         segment.bytes, segment.ms and retention.bytes"
    )?;
    out.flush()?;
    let mut left = unbounded(changes) - purges.len();
    for (spec, change, purge) in &purges {
        let mut failed = Ok(());
        let progress = |step: &str| {
            let written = writeln!(out, "topic {}: {step}", spec.topic).and_then(|()| out.flush());
            failed = std::mem::replace(&mut failed, Ok(())).and(written);
        };
        let purged = admin.purge(spec, purge, clock::now(), progress)?;
        failed?;
        let is_dated = |finding: &Finding| matches!(finding, Finding::Ahead { .. });
        // A topic may also be unbounded for another reason, which the deletion does not remove.
        left += usize::from(!purged.left.is_empty() || !change.unbounded.iter().all(is_dated));
        print_purged(&spec.topic, &purged, out)?;
    }
    Ok(left)
}

fn print(purge: &Purge, out: &mut impl Write) -> io::Result<()> {
    let of = |ranges: &Ranges| ranges.values().map(|(start, end)| end.abs_diff(*start)).sum::<u64>();
    let (ahead, others) = (of(&purge.ahead), of(&purge.others));
    let listed = list(&purge.ahead);
    writeln!(
        out,
        "topic {}: --purge-ahead deletes {}, all records of {listed}",
        purge.topic,
        records(ahead)
    )?;
    if others > 0 {
        writeln!(
            out,
            "  if nothing is written to the topic meanwhile, also {}, all records of {}",
            records(others),
            list(&purge.others)
        )?;
    }
    for Unread { group, ahead, others } in &purge.unread {
        let also = if *others > 0 {
            format!(", and {} of the other partitions", records(*others))
        } else {
            String::new()
        };
        writeln!(out, "  group {group} has not read {} of {listed}{also}", records(*ahead))?;
    }
    if purge.unread.is_empty() {
        writeln!(out, "  no visible consumer group has unread records among them")?;
    }
    if purge.may_miss_groups {
        writeln!(
            out,
            "  there may be other groups; listing all of them requires Describe on the cluster and on the groups"
        )?;
    }
    Ok(())
}

/// By partition: the first offset to delete, and the offset after the last one.
type Ranges = BTreeMap<u32, (i64, i64)>;

fn list(ranges: &Ranges) -> String {
    let numbers: Vec<_> = ranges.keys().map(ToString::to_string).collect();
    format!("partition{} {}", if numbers.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

fn print_purged(topic: &str, purged: &Purged, out: &mut impl Write) -> io::Result<()> {
    let deleted = records(purged.records);
    if purged.left.is_empty() {
        writeln!(out, "topic {topic}: {deleted} deleted; no segment is dated in the future anymore")
    } else {
        writeln!(
            out,
            "topic {topic}: {deleted} deleted; partitions {:?} still have a segment dated in the future because too \
             few records were written for a new segment to begin; run this again while nothing is written to the topic",
            purged.left
        )
    }
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".into() } else { format!("{count} records") }
}
