//! Packed records, which the collector writes. A packed record contains the beacons of one or more requests. The
//! collector has read these beacons, so the worker does not parse text.
//!
//! A packed record begins with the version, and with the sources of the custom dimensions of the collector. Each request
//! consists of its HTTP context, the number of its beacons, and its beacons. A beacon consists of these parts:
//!
//! | part | content |
//! |---|---|
//! | head | one byte with the mode and the flags |
//! | ignored values, list of error codes | only if the flag [`MORE`] is set |
//! | content | a bitmap of the event texts and the numbers that follow |
//! | numbers | halves ([`crate::Amount`]) |
//! | event texts | event, error, state |
//! | profile | a bitmap of all other texts, and these texts; absent if the flag [`REPEATS`] is set |
//!
//! Except for session ids and addresses, a text that occurs again in a record is written as its number. All numbers have
//! a variable length. A decoded beacon borrows from the record. A record has no checksum, because a Kafka batch has one.
//! Bytes that a packer does not write end the record, but the beacons before them are valid.

mod pack;
mod parsed;
mod table;
mod unpack;
mod varint;

use crate::Text;

pub use pack::Packer;
pub use parsed::Parsed;
pub(crate) use unpack::unpack;

/// The content type of packed records in Kafka.
pub const CONTENT_TYPE: &str = "application/vnd.crowdfold.beacon";

/// The first byte of a packed record. A worker reads only this version, so workers must be updated before collectors.
/// The numbers of fields are part of the format. Therefore a new dimension or metric needs another version.
const VERSION: u8 = 2;

/// The maximum length of a request in bytes. It equals the default maximum length of a record.
const LONGEST: usize = 1 << 20;

/// The maximum number of texts, and of clients, that a record lists.
const MOST_LISTED: u16 = 8_192;

/// The number in place of which an unlisted text follows. A new listed text follows the next greater number. All
/// greater numbers are those of listed texts.
const UNLISTED: u64 = 0;

/// The texts that often differ between the beacons of a request.
const EVENT_TEXTS: [Text; 3] = [Text::Event, Text::Error, Text::State];

/// The bits of the mode in the head of a beacon, and the flags.
const MODES: u8 = 3;
const FATAL: u8 = 1 << 2;
const OPT_OUT: u8 = 1 << 3;
const BATCHED: u8 = 1 << 4;
const MEDIA: u8 = 1 << 5;
/// The beacon has the same mode and the same profile as the beacon before it in the same request.
const REPEATS: u8 = 1 << 6;
const MORE: u8 = 1 << 7;

/// The flags of the context of a request.
const GPC: u8 = 1;
const DNT: u8 = 1 << 1;
const HAS_TIME: u8 = 1 << 2;
const HAS_ADDRESS: u8 = 1 << 3;
const HAS_TENANT: u8 = 1 << 4;
const HAS_CLIENT: u8 = 1 << 5;
const HAS_ENDPOINT: u8 = 1 << 6;
const UNUSED: u8 = 1 << 7;

/// The codes of the texts of the context. They differ from the codes of all texts of beacons.
const CLIENT: u8 = 0xff;
const PATH_TENANT: u8 = 0xfe;

/// Returns the code of a text field of a beacon. Listed texts with different codes are different, because the worker
/// stores the symbol of a listed text. The symbol may depend on the field, and on the form of the beacon.
const fn code(field: usize, head: u8) -> u8 {
    field as u8 | if head & MODES == 0 { 0 } else { 1 << 6 }
}

/// Returns true for text fields whose values seldom occur in several requests. They are never listed.
const fn is_unique(field: usize) -> bool {
    field == Text::Session.index() || field == Text::Ip.index()
}

#[cfg(test)]
mod tests;
