//! The parts of beacons from which packed records are written, and into which they are read.

use super::{Amount, Beacon, Number, Text};
use crate::{Field, Mode};

/// The bits of the numbers among all numbers.
const NUMBERS: u64 = (1 << Number::COUNT) - 1;

impl<'a> Beacon<'a> {
    /// The bits of the texts that are usually the same in all beacons of a request.
    pub(crate) const PROFILE: u64 =
        ((1 << Text::COUNT) - 1) & !(Text::Event.bit() | Text::Error.bit() | Text::State.bit());

    /// Returns the number of a text among the listed texts of its packed record. Returns `None` if the text is not
    /// listed, or if the beacon does not come from a packed record.
    #[must_use]
    #[inline]
    pub const fn listed(&self, field: Text) -> Option<usize> {
        if self.listed & field.bit() == 0 {
            None
        } else {
            Some(self.numbers_of_texts[field.index()] as usize)
        }
    }

    /// Returns true if the beacon comes from a packed record.
    #[must_use]
    #[inline]
    pub const fn is_packed(&self) -> bool {
        self.packed
    }

    /// Returns true if the beacon before this one has the same mode, the same HTTP context, and the same texts except
    /// event, error and state. Only beacons from packed records repeat others.
    #[must_use]
    #[inline]
    pub const fn repeats(&self) -> bool {
        self.repeats
    }

    pub(crate) const fn ignored_bits(&self) -> u64 {
        self.ignored
    }

    pub(crate) const fn number_bits(&self) -> u64 {
        self.present >> Text::COUNT & NUMBERS
    }

    /// Returns all numbers, in the order of their fields.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = Amount> {
        self.some_numbers(0..Number::COUNT).map(|index| self.numbers[index])
    }

    /// Returns the bits of the texts of the profile. Leaves out the address of the player unless `with_address` is true.
    pub(crate) const fn profile_bits(&self, with_address: bool) -> u64 {
        let without = if with_address { 0 } else { Text::Ip.bit() };
        self.present & Self::PROFILE & !without
    }

    /// Returns the texts with these bits, in the order of their fields.
    pub(crate) fn texts_of(&self, fields: u64) -> impl Iterator<Item = &str> {
        let mut left = fields;
        std::iter::from_fn(move || {
            let index = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            let text = *self.texts.get(index)?;
            Some(if self.decoded >> index & 1 == 0 { text } else { self.decoded_at(index) })
        })
    }

    #[cold]
    fn decoded_at(&self, index: usize) -> &str {
        let decoded = self.owned.iter().find(|(known, _)| *known == index);
        decoded.map_or("", |(_, text)| text)
    }

    /// Prepares this beacon for the values of the next beacon of a packed record. Keeps the profile if the next beacon
    /// repeats this one.
    #[inline]
    pub(crate) fn begin_packed(&mut self, mode: Mode, repeats: bool) {
        let kept = if repeats { Self::PROFILE } else { 0 };
        self.present &= kept;
        self.listed &= kept;
        self.ignored = 0;
        self.error_list = None;
        self.mode = mode;
        self.packed = true;
        self.repeats = repeats;
    }

    /// Sets the fields that were sent with an unusable value. Returns `None` if a bit belongs to no field.
    pub(crate) fn set_ignored(&mut self, fields: u64) -> Option<()> {
        self.ignored = fields;
        (fields.checked_shr(Field::COUNT as u32).unwrap_or(0) == 0).then_some(())
    }

    /// Sets a text and, if it is listed, its number.
    #[inline]
    pub(crate) const fn set_listed(&mut self, index: usize, text: &'a str, number: Option<u16>) {
        self.set_borrowed(index, text);
        if let Some(number) = number {
            self.listed |= 1 << index;
            self.numbers_of_texts[index] = number;
        }
    }

    /// Sets the numbers with these bits. `next` returns the halves of the next number. A number beyond the limit of its
    /// field counts as an unusable value. Returns `None` if a bit belongs to no field, or if there is no next number.
    #[inline]
    pub(crate) fn read_amounts(&mut self, fields: u64, mut next: impl FnMut() -> Option<u64>) -> Option<()> {
        if fields & !NUMBERS != 0 {
            return None;
        }
        let mut left = fields;
        while left != 0 {
            let index = left.trailing_zeros() as usize;
            left &= left - 1;
            match Amount::of_halves(index, next()?) {
                Some(amount) => self.set_amount(index, amount),
                None => self.ignored |= 1 << (Text::COUNT + index),
            }
        }
        Some(())
    }
}
