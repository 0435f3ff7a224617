//! The values of one beacon, as they were sent.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Range;

use crowdfold_model::{Custom, Dimension, SumMetric, ValueMetric};

use crate::{Field, NotSend, cmcd};

mod number;
mod packed;

pub(crate) use number::PLAIN_RANGES;
pub use number::{Amount, Number};

/// The error for input that does not have the required format. It contains no part of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The reason why a beacon could not be read. It contains no part of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The input does not have the required format.
    Malformed,
    /// The record contains more beacons than allowed. The beacons beyond the limit are not read.
    TooMany,
}

impl From<Malformed> for ReadError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The string fields of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// The name of the tenant.
    Tenant,
    /// The id of the session.
    Session,
    /// The address of the player.
    Ip,
    /// The event: `attempt`, `play`, `heartbeat`, `error` or `end`, or a value of the CMCD key `e`.
    Event,
    /// The complete user agent.
    UserAgent,
    /// The class of an error, or the error code from the CMCD key `ec`.
    Error,
    /// The state of the player, from the CMCD key `sta`.
    State,
    /// A dimension. The value is the text that the player sent.
    Of(Dimension),
    /// The value of the custom dimensions with this source.
    Custom(u8),
}

impl Text {
    /// The number of string fields that are not dimensions.
    const PLAIN: usize = 7;
    /// The index of the first custom dimension.
    pub(crate) const CUSTOM: usize = Self::PLAIN + Dimension::BUILT_IN;
    pub(crate) const COUNT: usize = Self::PLAIN + Dimension::COUNT;

    /// Returns the index of the field among all string fields.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Tenant => 0,
            Self::Session => 1,
            Self::Ip => 2,
            Self::Event => 3,
            Self::UserAgent => 4,
            Self::Error => 5,
            Self::State => 6,
            Self::Of(dimension) => Self::PLAIN + dimension.index(),
            Self::Custom(source) => Self::CUSTOM + source as usize,
        }
    }

    const fn bit(self) -> u64 {
        1 << self.index()
    }
}

/// The form in which a beacon was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A JSON beacon.
    Json,
    /// CMCD in the query or the headers of a request for media (request mode).
    Request,
    /// CMCD in a report of its own (event mode).
    Event,
    /// CMCD of an unsupported version. Its keys may have other meanings, so only its session, its tenant and an opt-out
    /// are used.
    Unsupported,
}

/// One beacon. It borrows its values from the record. It is personal data, so it does not implement `Debug` or
/// `Clone`, and it is not `Send`, so it stays in the thread that read it.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<crowdfold_beacon::Beacon<'static>>();
/// ```
///
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<crowdfold_beacon::Beacon<'static>>();
/// ```
pub struct Beacon<'a> {
    /// The string values. A value is valid if its bit is set in `present` and not set in `decoded`.
    texts: [&'a str; Text::COUNT],
    /// The numbers. A number is valid if its bit is set in `present`.
    numbers: [Amount; Number::COUNT],
    /// True if the beacon reports an error that ended playback.
    pub fatal: bool,
    /// True if the beacon opts its session out.
    pub opt_out: bool,
    /// The form in which the beacon was sent.
    pub mode: Mode,
    /// True if the body of the request contained several events. The player may have delayed this event until it sent
    /// the body.
    pub batched: bool,
    /// True for CMCD about audio or video, and for CMCD that does not contain the object type.
    pub media: bool,
    /// The positions of the first values of unknown fields that are objects or arrays, and of such values of fields that
    /// need another type of value. If the beacon has no session, the nested values may contain beacons.
    pub(crate) nested: Vec<usize>,
    /// The fields that have a value. Each field has one bit ([`Field::index`]). Only JSON beacons have the bits of
    /// `fatal` and `opt_out`.
    present: u64,
    /// The string fields whose value is in `owned`. Each field has one bit.
    decoded: u64,
    /// The fields that were sent with an unusable value. Each field has one bit.
    ignored: u64,
    /// The string values that are not part of the record, for example because they contained escapes, at most one for
    /// each field, with the index of the field. Few beacons have such values. [`Self::clear`] keeps them, so that their
    /// memory is used again. A value is valid if its bit is set in `decoded`.
    owned: Vec<(usize, String)>,
    /// True if the beacon comes from a packed record.
    packed: bool,
    /// True if the beacon before this one has the same mode, HTTP context and profile ([`Self::repeats`]).
    repeats: bool,
    /// The string fields whose value is listed in the packed record. Each field has one bit.
    listed: u64,
    /// The numbers of the listed texts of the packed record. A number is valid if its bit is set in `listed`.
    numbers_of_texts: [u16; Text::COUNT],
    /// The content of the inner list of error codes, if the record contains such a list.
    pub(crate) error_list: Option<Cow<'a, str>>,
    here: NotSend,
}

impl<'a> Beacon<'a> {
    pub(crate) const fn new(mode: Mode) -> Self {
        Self {
            texts: [""; Text::COUNT],
            numbers: [Amount::ZERO; Number::COUNT],
            fatal: false,
            opt_out: false,
            mode,
            batched: false,
            media: false,
            nested: Vec::new(),
            present: 0,
            decoded: 0,
            ignored: 0,
            owned: Vec::new(),
            packed: false,
            repeats: false,
            listed: 0,
            numbers_of_texts: [0; Text::COUNT],
            error_list: None,
            here: PhantomData,
        }
    }

    /// Removes all values, so that the next beacon of the same mode can be read into this one.
    pub(crate) fn clear(&mut self) {
        (self.present, self.decoded, self.ignored) = (0, 0, 0);
        (self.fatal, self.opt_out, self.batched) = (false, false, false);
        self.nested.clear();
        self.error_list = None;
    }

    /// Returns the value of a string field, or `None` if it was not sent or is unusable.
    #[must_use]
    #[inline(always)]
    pub fn text(&self, field: Text) -> Option<&str> {
        if self.present & field.bit() == 0 {
            return None;
        }
        if self.decoded & field.bit() != 0 {
            return self.decoded_text(field.index());
        }
        Some(self.texts[field.index()])
    }

    #[cold]
    #[inline(never)]
    fn decoded_text(&self, index: usize) -> Option<&str> {
        self.owned.iter().find(|(known, _)| *known == index).map(|(_, text)| text.as_str())
    }

    /// Returns true if the beacon has the value of a custom dimension.
    #[must_use]
    #[inline]
    pub const fn has_custom(&self) -> bool {
        self.present >> Text::CUSTOM & ((1 << Custom::MOST_SOURCES) - 1) != 0
    }

    /// Returns the built-in dimensions that have a value. Each has the text that the player sent.
    #[inline]
    pub fn dimensions(&self) -> impl Iterator<Item = (Dimension, &str)> {
        let mut left = self.present >> Text::PLAIN & ((1 << Dimension::BUILT_IN) - 1);
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            let dimension = *Dimension::ALL.get(at)?;
            let index = Text::PLAIN + at;
            if self.decoded & 1 << index != 0 {
                return Some((dimension, self.decoded_text(index)?));
            }
            Some((dimension, self.texts[index]))
        })
    }

    /// Returns the sums that were sent.
    #[inline]
    pub fn sums(&self) -> impl Iterator<Item = (SumMetric, Amount)> {
        let index = Number::SUMS.start;
        self.some_numbers(Number::SUMS)
            .filter_map(move |at| Some((*SumMetric::ALL.get(at - index)?, self.numbers[at])))
    }

    /// Returns the values that were sent.
    #[inline]
    pub fn values(&self) -> impl Iterator<Item = (ValueMetric, Amount)> {
        let index = Number::VALUES.start;
        self.some_numbers(Number::VALUES)
            .filter_map(move |at| Some((*ValueMetric::ALL.get(at - index)?, self.numbers[at])))
    }

    /// Returns the indexes of those number fields in this range that were sent.
    #[inline]
    fn some_numbers(&self, range: Range<usize>) -> impl Iterator<Item = usize> + use<> {
        let mut left = self.present >> Text::COUNT & ((1 << range.end) - (1 << range.start));
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (at < Number::COUNT).then_some(at)
        })
    }

    /// Returns the error codes after the first one, if the record contains several. At most 8 codes of a record are
    /// read.
    pub fn more_errors(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.error_list.as_deref().into_iter().flat_map(|list| cmcd::codes(list).skip(1))
    }

    /// Returns the value of a number field, or `None` if it was not sent or is unusable.
    #[must_use]
    #[inline]
    pub fn number(&self, field: Number) -> Option<Amount> {
        (self.present & field.bit() != 0).then(|| self.numbers[field.index()])
    }

    /// Returns the fields that were sent with an unusable value.
    pub fn ignored(&self) -> impl Iterator<Item = Field> + use<> {
        let ignored = self.ignored;
        Field::all().filter(move |field| ignored & field.bit() != 0)
    }

    /// Returns true if at least one field was sent with an unusable value.
    #[must_use]
    pub const fn has_ignored(&self) -> bool {
        self.ignored != 0
    }

    pub(crate) fn set_text(&mut self, field: Text, value: Cow<'a, str>) {
        match value {
            Cow::Borrowed(text) => self.set_borrowed(field.index(), text),
            Cow::Owned(text) => self.set_decoded(field.index(), |decoded| *decoded = text),
        }
    }

    /// Sets the string field with this index to a text that `write` appends to an empty string.
    #[inline]
    pub(crate) fn set_decoded(&mut self, index: usize, write: impl FnOnce(&mut String)) {
        match self.owned.iter_mut().find(|(known, _)| *known == index) {
            Some((_, before)) => {
                before.clear();
                write(before);
            }
            None => {
                let mut text = String::new();
                write(&mut text);
                self.owned.push((index, text));
            }
        }
        self.mark_decoded(index);
    }

    const fn mark_decoded(&mut self, index: usize) {
        self.present |= 1 << index;
        self.decoded |= 1 << index;
    }

    /// Sets the string field with this index to a part of the record.
    #[inline]
    pub(crate) const fn set_borrowed(&mut self, index: usize, text: &'a str) {
        self.texts[index] = text;
        self.present |= 1 << index;
        if self.decoded != 0 {
            self.decoded &= !(1 << index);
        }
    }

    #[inline]
    pub(crate) const fn set_number(&mut self, field: Number, value: Amount) {
        self.set_amount(field.index(), value);
    }

    /// Sets the number field with this index.
    #[inline]
    pub(crate) const fn set_amount(&mut self, index: usize, value: Amount) {
        self.numbers[index] = value;
        self.present |= 1 << (Text::COUNT + index);
    }

    /// Records that a field has a value.
    pub(crate) const fn mark_present(&mut self, field: Field) {
        self.present |= field.bit();
    }

    /// Returns the bits of the fields that were sent, including those with an unusable value.
    #[inline]
    pub(crate) const fn sent_bits(&self) -> u64 {
        self.present | self.ignored
    }

    /// Records that a field was sent with an unusable value.
    pub(crate) const fn ignore(&mut self, field: Field) {
        self.ignored |= field.bit();
    }

    /// Records that a field was sent with an unusable value, and removes its value. An opt-out cannot be removed.
    pub(crate) const fn refuse(&mut self, field: Field) {
        let bit = field.bit();
        self.ignored |= bit;
        self.remove_all(bit);
    }

    /// Removes the value of a field. An opt-out cannot be removed.
    pub(crate) const fn remove(&mut self, field: Field) {
        self.remove_all(field.bit());
    }

    /// Removes the values of all fields whose bit is set in `fields`. An opt-out cannot be removed.
    #[inline]
    pub(crate) const fn remove_all(&mut self, fields: u64) {
        self.present &= !fields;
        self.fatal &= Field::Fatal.bit() & fields == 0;
    }

    /// Copies all values of another beacon, including the bytes of its strings, because the other beacon may have a
    /// shorter lifetime.
    pub(crate) fn absorb(&mut self, other: &Beacon<'_>) {
        for field in Field::all() {
            match field {
                Field::Text(field) => {
                    if let Some(text) = other.text(field) {
                        self.set_text(field, Cow::Owned(text.to_owned()));
                    }
                }
                Field::Number(field) => {
                    if let Some(amount) = other.number(field) {
                        self.set_number(field, amount);
                    }
                }
                Field::Fatal | Field::OptOut => {}
            }
        }
        if let Some(list) = &other.error_list {
            self.error_list = Some(Cow::Owned(list.clone().into_owned()));
        }
        self.fatal |= other.fatal;
        self.opt_out |= other.opt_out;
        self.ignored |= other.ignored;
        self.present |= other.present & (Field::Fatal.bit() | Field::OptOut.bit());
    }
}

#[cfg(test)]
mod tests;
