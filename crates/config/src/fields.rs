//! Functions for `#[serde(deserialize_with)]` that check the range or the form of a value.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crowdfold_model::{DURATION_UNITS, Span, parse_duration, show_duration};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};

/// A second, in milliseconds.
pub(crate) const SECOND: u64 = 1_000;
/// A minute, in milliseconds.
pub(crate) const MINUTE: u64 = 60 * SECOND;
/// An hour, in milliseconds.
pub(crate) const HOUR: u64 = 60 * MINUTE;
/// A day, in milliseconds.
pub(crate) const DAY: u64 = 24 * HOUR;

/// Reads a whole number in a range.
pub(crate) fn whole<'de, const LEAST: u64, const MOST: u64, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<u64>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_u64(Whole { least: LEAST, most: MOST, number: PhantomData })
}

struct Whole<T> {
    least: u64,
    most: u64,
    number: PhantomData<T>,
}

impl<T: TryFrom<u64>> Whole<T> {
    fn within(&self, number: i64) -> Option<T> {
        let within = u64::try_from(number).ok().filter(|number| (self.least..=self.most).contains(number));
        within.and_then(|number| T::try_from(number).ok())
    }
}

impl<T: TryFrom<u64>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.least, self.most)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.within(number).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

/// Reads a whole number in a range, or the string "auto", for which it returns `None`.
pub(crate) fn whole_or_auto<'de, const LEAST: u64, const MOST: u64, T, D>(
    deserializer: D,
) -> Result<Option<T>, D::Error>
where
    T: TryFrom<u64>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(WholeOrAuto(Whole { least: LEAST, most: MOST, number: PhantomData }))
}

struct WholeOrAuto<T>(Whole<T>);

impl<T: TryFrom<u64>> Visitor<'_> for WholeOrAuto<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"auto\" or ")?;
        self.0.expecting(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        if text == "auto" { Ok(None) } else { Err(E::invalid_value(Unexpected::Str(text), &self)) }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        let found = self.0.within(number);
        found.map(Some).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

/// Reads a number above 0, up to `most`.
pub(crate) fn above_zero<'de, D: Deserializer<'de>>(deserializer: D, most: f64) -> Result<f64, D::Error> {
    deserializer.deserialize_f64(Real { most, may_be_zero: false })
}

/// Reads a number from 0 to 1.
pub(crate) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_f64(Real { most: 1.0, may_be_zero: true })
}

struct Real {
    most: f64,
    may_be_zero: bool,
}

impl Visitor<'_> for Real {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.may_be_zero { "from 0" } else { "above 0, up" };
        write!(f, "a number {from} to {}", self.most)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        let is_above = number > 0.0 || self.may_be_zero && number == 0.0;
        if is_above && number <= self.most {
            return Ok(number);
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        self.visit_f64(number as f64)
    }
}

/// Reads a string and converts it with `parse`. `want` describes the valid strings in the error message.
pub(crate) fn parsed<'de, D, T>(
    deserializer: D,
    want: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Parsed { want, parse })
}

struct Parsed<'w, F> {
    want: &'w str,
    parse: F,
}

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for Parsed<'_, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.want)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let want = self.want;
        (self.parse)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &want))
    }
}

/// Reads a duration in a range of milliseconds.
pub(crate) fn duration<'de, const LEAST: u64, const MOST: u64, D>(
    deserializer: D,
) -> Result<Duration, D::Error>
where
    D: Deserializer<'de>,
{
    let shown = |millis| show_duration(Duration::from_millis(millis));
    let want = format!(
        "a duration from {} to {}, such as \"90s\" (units: {DURATION_UNITS})",
        shown(LEAST),
        shown(MOST)
    );
    let within = |duration: &Duration| (LEAST..=MOST).contains(&Span::from(*duration).as_millis());
    parsed(deserializer, &want, |text| parse_duration(text).filter(within))
}

/// Reads a path. An empty string means that there is no path.
pub(crate) fn optional_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    parsed(deserializer, "a path, or \"\" for none", |text| Some(optional(text).map(PathBuf::from)))
}

/// Reads a string. An empty string means that there is no value.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    parsed(deserializer, "a string", |text| Some(optional(text).map(str::to_owned)))
}

fn optional(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Reads an address and a port.
pub(crate) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let want = "an address and a port, such as \"127.0.0.1:8080\" or \"[::]:443\"";
    parsed(deserializer, want, |text| text.parse().ok())
}

/// Reads an address and a port. An empty string means that there is no address.
pub(crate) fn optional_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let want = "an address and a port, such as \"127.0.0.1:9464\" or \"[::]:9464\", or to \"\" for none";
    parsed(deserializer, want, |text| match optional(text) {
        None => Some(None),
        Some(text) => text.parse().ok().map(Some),
    })
}

/// Reads a list of strings.
pub(crate) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_seq(List { want: "a list of strings", item: PhantomData })
}

/// Reads a list of lists of strings.
pub(crate) fn tables<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<String>>, D::Error> {
    let want = "a list of lists, such as [[\"country\", \"asn\"], [\"os\", \"browser\"]]";
    deserializer.deserialize_seq(List { want, item: PhantomData })
}

struct List<T> {
    want: &'static str,
    item: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.want)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        loop {
            match items.next_element() {
                Ok(Some(item)) => list.push(item),
                Ok(None) => return Ok(list),
                // The error describes the whole list, and not one item.
                Err(_) => return Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            }
        }
    }
}

/// One string, or a list of strings.
pub(crate) enum TextOrList {
    Text(String),
    List(Vec<String>),
}

/// Reads one string, or a list of strings. `want` describes the valid values in the error message.
pub(crate) fn text_or_list<'de, D: Deserializer<'de>>(
    deserializer: D,
    want: &'static str,
) -> Result<TextOrList, D::Error> {
    deserializer.deserialize_str(TextOrListVisitor { want })
}

pub(crate) struct TextOrListVisitor {
    pub(crate) want: &'static str,
}

impl<'de> Visitor<'de> for TextOrListVisitor {
    type Value = TextOrList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.want)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TextOrList, E> {
        Ok(TextOrList::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<TextOrList, A::Error> {
        List { want: self.want, item: PhantomData }.visit_seq(items).map(TextOrList::List)
    }
}

/// Reads a map. `T` is the type that deserializes a value, and `V` the type to which it is converted.
pub(crate) fn map<'de, D, T, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Into<V>,
{
    let map = BTreeMap::<String, T>::deserialize(deserializer)?;
    Ok(map.into_iter().map(|(name, value)| (name, value.into())).collect())
}
