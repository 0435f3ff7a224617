//! Checkpoints, which are stored in the metadata of committed offsets. They are the only persistent state of the
//! operators.

use std::fmt;

use crowdfold_model::Timestamp;

/// The checkpoint that a combiner commits together with its offset. Its text is ASCII and shorter than 200 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CombinerCheckpoint {
    /// The [`crate::Rules::layout_fingerprint`] of the process that wrote the checkpoint.
    pub layout_fingerprint: u64,
    /// The end of the last window whose partials were sent.
    pub closed_until: Timestamp,
    /// The floor: windows that end at or before this time are never built.
    pub floor: Timestamp,
    /// The first offset whose beacons have not been counted. A restart may read records before this offset, but only to
    /// rebuild sessions.
    pub read_offset: i64,
    /// The number of partitions of the topic of beacons.
    pub partitions: u32,
    /// Windows that start before this time are withheld. If the value is the epoch, no window is withheld. The value is
    /// stored because the next worker must continue to withhold these windows.
    pub withhold_before: Timestamp,
    /// The timestamp of the first record that was read, if older records had expired before. Attempts without a
    /// reported start do not count in windows that start less than `idle` after this time. The value is the epoch if no
    /// record had expired, or if all such windows are closed.
    pub begins: Timestamp,
}

impl fmt::Display for CombinerCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "crowdfold-c1 e={:x} c={} f={} r={} n={}",
            self.layout_fingerprint,
            self.closed_until.as_millis(),
            self.floor.as_millis(),
            self.read_offset,
            self.partitions
        )?;
        for (name, until) in [("w", self.withhold_before), ("b", self.begins)] {
            if until > Timestamp::EPOCH {
                write!(f, " {name}={}", until.as_millis())?;
            }
        }
        Ok(())
    }
}

impl CombinerCheckpoint {
    /// A placeholder for a time that is not known yet. After a loss of records, [`CombinerCheckpoint::withhold_before`]
    /// has this value until the next record. [`CombinerCheckpoint::begins`] has this value until the first record.
    pub(crate) const UNTIL_KNOWN: Timestamp = Timestamp::MAX;

    /// Parses the output of [`fmt::Display`]. Returns `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = Fields::of(text, "crowdfold-c1")?;
        let read = Self {
            layout_fingerprint: u64::from_str_radix(fields.next("e")?, 16).ok()?,
            closed_until: timestamp(fields.next("c")?)?,
            floor: timestamp(fields.next("f")?)?,
            read_offset: fields.next("r")?.parse().ok()?,
            partitions: fields.next("n")?.parse().ok()?,
            withhold_before: fields.next("w").map_or(Some(Timestamp::EPOCH), timestamp)?,
            begins: fields.next("b").map_or(Some(Timestamp::EPOCH), timestamp)?,
        };
        fields.end().then_some(read)
    }
}

/// The decision to release a window without the partitions that are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forced {
    /// The end of the window.
    pub end: Timestamp,
    /// The number of partitions of the topic of beacons when the decision was made.
    pub partitions: u32,
    /// One bit for each partition, which is set if the partition is missing. Partition 0 is the lowest bit of the
    /// first byte.
    pub missing: Vec<u8>,
}

impl Forced {
    /// Returns true if the window is released without this partition, because the partition is missing or was added
    /// after the decision.
    #[must_use]
    pub fn lacks(&self, partition: u32) -> bool {
        let bit = |byte: &u8| byte >> (partition % 8) & 1 == 1;
        partition >= self.partitions || self.missing.get(partition as usize / 8).is_some_and(bit)
    }

    /// Returns the number of missing partitions.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.missing.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Returns true if a merger can carry out this decision: `missing` has one bit for each partition and no further
    /// bits, and at least one partition is not missing.
    fn is_possible(&self) -> bool {
        let spare = self.partitions.wrapping_neg() % 8;
        self.partitions <= MergerCheckpoint::MOST_FORCED
            && self.missing.len() == self.partitions.div_ceil(8) as usize
            && self.missing.last().is_some_and(|last| last.leading_zeros() >= spare)
            && self.count() < self.partitions
    }
}

/// The checkpoint that a merger commits together with its offset. Its text is ASCII and shorter than 2 KB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergerCheckpoint {
    /// The fingerprint of the release policies of the process that wrote the checkpoint.
    pub policy: u64,
    /// The end of the last window that was published or withheld. Its rows cannot change.
    pub closed_until: Timestamp,
    /// The floor: windows that end at or before this time are never published.
    pub floor: Timestamp,
    /// True if every partition of the topic of partials had an offset when the checkpoint was written. If a partition
    /// then has no offset at a later start, its offset was lost.
    pub whole: bool,
    /// The decision to release a window without missing partitions. It is `None` if there is no decision, or if it
    /// has been carried out.
    pub forced: Option<Forced>,
}

impl fmt::Display for MergerCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "crowdfold-m1 p={:x} c={} f={}",
            self.policy,
            self.closed_until.as_millis(),
            self.floor.as_millis()
        )?;
        if self.whole {
            f.write_str(" a=1")?;
        }
        if let Some(forced) = &self.forced {
            write!(f, " d={} n={} w=", forced.end.as_millis(), forced.partitions)?;
            for byte in &forced.missing {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl MergerCheckpoint {
    /// The maximum number of partitions for which a decision can be made. A decision about more partitions would not
    /// fit into the metadata of an offset.
    pub const MOST_FORCED: u32 = 4096;

    /// Parses the output of [`fmt::Display`]. Returns `None` for any other text, and for a decision that no merger
    /// can carry out, because such a decision would block its partition permanently.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = Fields::of(text, "crowdfold-m1")?;
        let policy = u64::from_str_radix(fields.next("p")?, 16).ok()?;
        let closed_until = timestamp(fields.next("c")?)?;
        let floor = timestamp(fields.next("f")?)?;
        let whole = match fields.next("a") {
            None => false,
            Some("1") => true,
            Some(_) => return None,
        };
        let forced = match fields.next("d") {
            None => None,
            Some(end) => {
                let partitions = fields.next("n")?.parse().ok()?;
                let hex = fields.next("w")?;
                // `from_str_radix` accepts a sign, so the digits are checked here.
                if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return None;
                }
                let missing =
                    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok());
                let missing = missing.collect::<Option<_>>()?;
                let forced = Forced { end: timestamp(end)?, partitions, missing };
                if !forced.is_possible() || forced.end <= closed_until {
                    return None;
                }
                Some(forced)
            }
        };
        fields.end().then_some(Self { policy, closed_until, floor, whole, forced })
    }
}

/// A type of checkpoint: that of combiners or that of mergers.
pub trait Checkpoint: Sized {
    /// Parses a checkpoint. Returns `None` for any other text.
    fn read(text: &str) -> Option<Self>;
    /// Returns the floor: windows that end at or before this time are never built.
    fn floor(&self) -> Timestamp;
    /// Returns true if every partition of the topic had an offset when the checkpoint was written. If the result is
    /// true and a partition has no offset now, its offset was lost.
    fn is_whole(&self) -> bool;
}

impl Checkpoint for CombinerCheckpoint {
    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn floor(&self) -> Timestamp {
        self.floor
    }

    /// Returns false. A lost offset of a combiner does no harm, because mergers ignore repeated close markers, and a
    /// partition without an offset may have been added.
    fn is_whole(&self) -> bool {
        false
    }
}

impl Checkpoint for MergerCheckpoint {
    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn floor(&self) -> Timestamp {
        self.floor
    }

    fn is_whole(&self) -> bool {
        self.whole
    }
}

/// Parses a timestamp that is written as milliseconds since the epoch.
fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_millis)
}

/// A parser for fields of the form `name=value`, in a fixed order and separated by spaces.
struct Fields<'a>(std::iter::Peekable<std::str::Split<'a, char>>);

impl<'a> Fields<'a> {
    fn of(text: &'a str, kind: &str) -> Option<Self> {
        let mut words = text.split(' ').peekable();
        words.next_if_eq(&kind)?;
        Some(Self(words))
    }

    fn next(&mut self, name: &str) -> Option<&'a str> {
        let value = self.0.peek()?.strip_prefix(name)?.strip_prefix('=')?;
        self.0.next();
        Some(value)
    }

    fn end(&mut self) -> bool {
        self.0.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_checkpoints_equal_the_written_checkpoints() {
        let (never, last) = (Timestamp::EPOCH, Timestamp::MAX);
        for (withhold_before, begins) in [(never, never), (last, never), (never, last), (last, last)] {
            let combiner = CombinerCheckpoint {
                layout_fingerprint: u64::MAX,
                closed_until: last,
                floor: last,
                read_offset: i64::MAX,
                partitions: u32::MAX,
                withhold_before,
                begins,
            };
            let text = combiner.to_string();
            assert!(text.is_ascii() && text.len() < 200, "{text}");
            assert_eq!(CombinerCheckpoint::parse(&text), Some(combiner));
        }
        let mut missing = vec![0xff; 4096 / 8];
        missing[511] = 0x7f;
        let forced = Forced { end: Timestamp::from_millis(180_000), partitions: 4096, missing };
        for (whole, forced) in
            [(false, None), (true, None), (false, Some(forced.clone())), (true, Some(forced))]
        {
            let closed_until = Timestamp::from_millis(120_000);
            let merger =
                MergerCheckpoint { policy: 0xfeed, closed_until, floor: Timestamp::EPOCH, whole, forced };
            let text = merger.to_string();
            assert!(text.is_ascii() && text.len() < 2048, "{}", text.len());
            assert_eq!(MergerCheckpoint::parse(&text), Some(merger));
        }
    }

    #[test]
    fn metadata_of_other_programs_is_not_parsed() {
        for text in [
            "",
            "x",
            "crowdfold-c1",
            "crowdfold-c1 e=1 c=2 f=3 r=4 n=5 z=6",
            "crowdfold-c2 e=1 c=2 f=3 r=4 n=5",
        ] {
            assert_eq!(CombinerCheckpoint::parse(text), None, "{text}");
        }
        for text in [
            "",
            "crowdfold-m1 p=1 c=2",
            "crowdfold-m1 p=1 c=2 f=3 a=2",
            "crowdfold-m1 p=1 c=2 f=3 d=4 w=ab",
            "crowdfold-m1 p=1 c=2 f=3 d=4 n=5 w=é",
            "crowdfold-m1 p=1 c=2 f=3 d=4 n=5 w=abc",
        ] {
            assert_eq!(MergerCheckpoint::parse(text), None, "{text}");
        }
    }

    /// A merger with such a decision would wait without end or ignore the decision.
    #[test]
    fn checkpoint_with_an_impossible_decision_is_not_parsed() {
        let parse =
            |decision: &str| MergerCheckpoint::parse(&format!("crowdfold-m1 p=1 c=20 f=30 {decision}"));
        for possible in ["d=40 n=1 w=00", "d=40 n=2 w=01", "d=21 n=9 w=ff00", "d=40 n=9 w=0001"] {
            assert!(parse(possible).is_some(), "{possible}");
        }
        for impossible in [
            // In these decisions, there are no partitions, all partitions are missing, or the number of bits is wrong.
            "d=40 n=0 w=",
            "d=40 n=2 w=03",
            "d=40 n=9 w=ff01",
            "d=40 n=9 w=ff",
            "d=40 n=2 w=0100",
            "d=40 n=2 w=05",
            "d=40 n=4097 w=00",
            "d=40 n=4294967295 w=00",
            // The window of this decision is already committed.
            "d=20 n=2 w=01",
            // The digits of this decision are not hexadecimal.
            "d=40 n=2 w=+1",
        ] {
            assert!(parse(impossible).is_none(), "{impossible}");
        }
    }
}
