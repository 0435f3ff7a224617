//! Beacons of a request that were read, and are not packed yet.

use crowdfold_model::Timestamp;

use super::{BATCHED, EVENT_TEXTS, FATAL, MEDIA, MODES, MORE, OPT_OUT, varint};
use crate::{Amount, Beacon, Body, Http, Mode, Number, Reader, Text};

/// Beacons of a request that were read, and are not packed yet. Most parts already have the form that a packed record
/// needs. The type does not implement `Debug` or `Clone`, because it contains personal data.
#[derive(Default)]
pub struct Parsed {
    bytes: Vec<u8>,
    beacons: Vec<ParsedBeacon>,
}

/// The location of one beacon in [`Parsed::bytes`].
struct ParsedBeacon {
    head: u8,
    /// The texts of [`EVENT_TEXTS`] that the beacon has, one bit each.
    events: u8,
    /// The texts of the profile, one bit each ([`Text::index`]).
    profile: u64,
    /// The start of the numbers, of the event texts and of the profile, and the end of the beacon. The numbers have
    /// their final form. Each text has its length in front of it, as four bytes.
    starts: [usize; 4],
}

/// One beacon of [`Parsed`].
#[derive(Clone, Copy)]
pub(super) struct Packable<'a> {
    pub(super) head: u8,
    pub(super) profile: u64,
    pub(super) numbers: &'a [u8],
    events: u8,
    event_texts: &'a [u8],
    profile_texts: &'a [u8],
}

impl<'a> Packable<'a> {
    /// Returns the texts of the event that the beacon has.
    pub(super) fn event_fields(self) -> impl Iterator<Item = Text> {
        let has = move |bit: &usize| self.events >> bit & 1 != 0;
        (0..EVENT_TEXTS.len()).filter(has).map(|bit| EVENT_TEXTS[bit])
    }

    pub(super) fn event_texts(self) -> impl Iterator<Item = &'a [u8]> {
        texts(self.event_texts)
    }

    pub(super) fn profile_texts(self) -> impl Iterator<Item = &'a [u8]> {
        texts(self.profile_texts)
    }

    /// Returns true if both beacons have the same mode and the same profile.
    pub(super) fn has_profile_of(self, other: Self) -> bool {
        self.profile == other.profile
            && (self.head ^ other.head) & MODES == 0
            && self.profile_texts == other.profile_texts
    }
}

fn texts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        rest = after;
        Some(text)
    })
}

impl Parsed {
    /// Removes all beacons. The memory stays allocated.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.beacons.clear();
    }

    /// Returns the number of beacons.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.beacons.len()
    }

    /// Returns true if there is no beacon.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.beacons.is_empty()
    }

    /// Returns the size of all beacons in bytes. Packed, they are not larger.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len() + self.beacons.len() * size_of::<u64>()
    }

    /// Returns the size of one beacon in bytes, or 0 if there is no beacon with this index. Packed, it is not larger.
    #[must_use]
    pub fn size_of(&self, index: usize) -> usize {
        self.beacons.get(index).map_or(0, |beacon| beacon.starts[3] - beacon.starts[0] + size_of::<u64>())
    }

    /// Adds a beacon with this HTTP context. If the context contains an address, the address in the beacon has no effect
    /// and is left out.
    pub fn add(&mut self, http: &Http<'_>, beacon: &Beacon<'_>) {
        let Self { bytes, beacons } = self;
        let start = bytes.len();
        let list = beacon.error_list.as_deref();
        let more = beacon.has_ignored() || list.is_some();
        if more {
            varint::write(beacon.ignored_bits(), bytes);
            varint::write_some(list, bytes);
        }
        let mut events = 0;
        for (bit, text) in EVENT_TEXTS.into_iter().enumerate() {
            events |= u8::from(beacon.text(text).is_some()) << bit;
        }
        varint::write(beacon.number_bits() << EVENT_TEXTS.len() | u64::from(events), bytes);
        beacon.amounts().for_each(|amount| varint::write(amount.halves(), bytes));
        let event_texts = bytes.len();
        for text in EVENT_TEXTS {
            push(beacon.text(text), bytes);
        }
        let profile_texts = bytes.len();
        let profile = beacon.profile_bits(http.address.is_none());
        beacon.texts_of(profile).for_each(|text| push(Some(text), bytes));
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let mode = match beacon.mode {
            Mode::Json => 0,
            Mode::Request => 1,
            Mode::Event => 2,
            Mode::Unsupported => 3,
        };
        let head = mode
            | flag(beacon.fatal, FATAL)
            | flag(beacon.opt_out, OPT_OUT)
            | flag(beacon.batched, BATCHED)
            | flag(beacon.media, MEDIA)
            | flag(more, MORE);
        let starts = [start, event_texts, profile_texts, bytes.len()];
        beacons.push(ParsedBeacon { head, events, profile, starts });
    }

    /// Adds a JSON beacon that opts a session out. It contains only the session, the tenant and the time.
    pub fn add_withdrawal(&mut self, session: &str, tenant: Option<&str>, time: Timestamp) {
        let mut beacon = Beacon::new(Mode::Json);
        beacon.set_borrowed(Text::Session.index(), session);
        if let Some(tenant) = tenant {
            beacon.set_borrowed(Text::Tenant.index(), tenant);
        }
        if let Some(time) = Amount::whole(Number::Ts, time.as_millis()) {
            beacon.set_number(Number::Ts, time);
        }
        beacon.opt_out = true;
        self.add(Http::NONE, &beacon);
    }

    /// Adds all beacons of a body. Returns the number of beacons that cannot be read.
    pub fn add_all(&mut self, reader: &mut Reader, http: &Http<'_>, body: &Body<'_>) -> usize {
        let mut bad = 0;
        reader.read_body(body, &mut |read| match read {
            Ok(beacon) => self.add(http, beacon),
            Err(_) => bad += 1,
        });
        bad
    }

    pub(super) fn get(&self, index: usize) -> Option<Packable<'_>> {
        let ParsedBeacon { head, events, profile, starts } = self.beacons.get(index)?;
        let [start, event_texts, profile_texts, end] = starts;
        Some(Packable {
            head: *head,
            events: *events,
            profile: *profile,
            numbers: &self.bytes[*start..*event_texts],
            event_texts: &self.bytes[*event_texts..*profile_texts],
            profile_texts: &self.bytes[*profile_texts..*end],
        })
    }
}

fn push(text: Option<&str>, into: &mut Vec<u8>) {
    if let Some(text) = text {
        into.extend_from_slice(&(text.len() as u32).to_le_bytes());
        into.extend_from_slice(text.as_bytes());
    }
}
