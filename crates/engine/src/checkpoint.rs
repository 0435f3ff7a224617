//! The checkpoints in the metadata of committed offsets: all persistent state of the operators.

use std::fmt;

use crowdfold_model::Timestamp;

/// What a combiner commits with its offset. ASCII, below 200 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CombinerCheckpoint {
    /// [`crate::Rules::layout_fingerprint`] of the process that wrote it.
    pub layout_fingerprint: u64,
    /// End of the last window that was closed and sent.
    pub closed_until: Timestamp,
    /// Windows that end at or before it are never made.
    pub floor: Timestamp,
    /// Every record before it was counted.
    pub read_offset: i64,
    /// How many partitions the beacons had.
    pub partitions: u32,
    /// Windows that start before it are withheld; the epoch where none is. A worker that dies while it withholds must not
    /// make its successor forget it.
    pub withhold_before: Timestamp,
    /// The timestamp of the first record that was read, where the log had lost records before it. Implied attempts do
    /// not count in windows that start within `idle` of it. The epoch where nothing was lost, or no such window is left.
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
    /// The value of [`CombinerCheckpoint::withhold_before`] where records are lost and it is not known yet until when
    /// they reach, and of [`CombinerCheckpoint::begins`] before the first record.
    pub(crate) const UNTIL_KNOWN: Timestamp = Timestamp::MAX;

    /// Reads what [`fmt::Display`] wrote; `None` for anything else.
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

/// A window that is released without the partitions that did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forced {
    /// End of the window.
    pub end: Timestamp,
    /// How many partitions the beacons had when it was decided.
    pub partitions: u32,
    /// One bit for each of them, set where it is missing; the lowest bit of the first byte is partition 0.
    pub missing: Vec<u8>,
}

impl Forced {
    /// Whether the window goes without a partition: one that is missing, or that was added since.
    #[must_use]
    pub fn lacks(&self, partition: u32) -> bool {
        let bit = |byte: &u8| byte >> (partition % 8) & 1 == 1;
        partition >= self.partitions || self.missing.get(partition as usize / 8).is_some_and(bit)
    }

    /// How many are missing.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.missing.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Returns whether a merger may have decided this: one bit for each partition, none beyond them, and at least one
    /// partition that is not missing. Nothing else can ever be carried out.
    fn is_possible(&self) -> bool {
        let spare = self.partitions.wrapping_neg() % 8;
        self.partitions <= MergerCheckpoint::MOST_FORCED
            && self.missing.len() == self.partitions.div_ceil(8) as usize
            && self.missing.last().is_some_and(|last| last.leading_zeros() >= spare)
            && self.count() < self.partitions
    }
}

/// What a merger commits with its offset. ASCII, below 2 KB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergerCheckpoint {
    /// Fingerprint of the release policy.
    pub policy: u64,
    /// End of the last window that was published or withheld for good.
    pub closed_until: Timestamp,
    /// Windows that end at or before it are never published.
    pub floor: Timestamp,
    /// Every partition of the partials had an offset when this was written: one that has none lost it.
    pub whole: bool,
    /// The decision to release a window without some partitions, until it is carried out.
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
    /// Most partitions that a decision may name, so that it fits the metadata.
    pub const MOST_FORCED: u32 = 4096;

    /// Reads what [`fmt::Display`] wrote; `None` for anything else, also for a decision that no merger makes: one that
    /// cannot be carried out would hold up its partition for good.
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
                // from_str_radix takes a sign
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

/// What a stage's partitions are started from.
pub trait Checkpoint: Sized {
    /// Reads what was written; `None` for anything else.
    fn read(text: &str) -> Option<Self>;
    /// Windows that end at or before it are never made.
    fn floor(&self) -> Timestamp;
    /// Whether a partition that has no offset is known to have lost it.
    fn is_whole(&self) -> bool;
}

impl Checkpoint for CombinerCheckpoint {
    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn floor(&self) -> Timestamp {
        self.floor
    }

    /// What a combiner makes twice the merger ignores, and partitions may be added.
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

/// `name=value` in a fixed order.
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
    fn checkpoints_survive_being_written_and_read() {
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
    fn metadata_of_others_is_not_taken_for_ours() {
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

    /// A merger with such a decision would wait for ever, or forget it.
    #[test]
    fn decision_that_cannot_be_carried_out_is_refused() {
        let parse =
            |decision: &str| MergerCheckpoint::parse(&format!("crowdfold-m1 p=1 c=20 f=30 {decision}"));
        for possible in ["d=40 n=1 w=00", "d=40 n=2 w=01", "d=21 n=9 w=ff00", "d=40 n=9 w=0001"] {
            assert!(parse(possible).is_some(), "{possible}");
        }
        for impossible in [
            // no partition at all, none that came, fewer or more bits than partitions
            "d=40 n=0 w=",
            "d=40 n=2 w=03",
            "d=40 n=9 w=ff01",
            "d=40 n=9 w=ff",
            "d=40 n=2 w=0100",
            "d=40 n=2 w=05",
            "d=40 n=4097 w=00",
            "d=40 n=4294967295 w=00",
            // committed already
            "d=20 n=2 w=01",
            // no hexadecimal digits
            "d=40 n=2 w=+1",
        ] {
            assert!(parse(impossible).is_none(), "{impossible}");
        }
    }
}
