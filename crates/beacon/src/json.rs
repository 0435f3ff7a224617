//! JSON beacons, read in one pass: most by [`Quick`], whatever it does not know by serde.

mod quick;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub(crate) use self::quick::Quick;
use crate::fields::{Field, Target};
use crate::split::{self, MAX_DEPTH};
use crate::{Amount, Beacon, Fields, Malformed, Mode, Number};

/// Reads a record of JSON beacons: an object, an array of objects, or objects one after another (NDJSON, or written
/// over several lines). `each` gets every beacon in order with the bytes it was read from, and [`Malformed`] for each
/// that is none; what cannot be split into beacons counts as one, as does an empty record. `ends` is room for splitting.
pub(crate) fn read_json<'a>(
    record: &'a [u8],
    fields: &Fields,
    quick: &mut Quick,
    ends: &mut Vec<usize>,
    each: &mut impl FnMut(Result<(&Beacon<'_>, &'a [u8]), Malformed>),
) {
    let split = split::split(record, ends, &mut |array, at| quick.end(array, at, fields));
    split::offer(&split, ends, &mut |value| {
        let Some(value) = value else {
            each(Err(Malformed));
            return false;
        };
        let mut beacon = Beacon::new(Mode::Json);
        let taken = read_object(value, fields, quick, &mut beacon).is_ok();
        if taken {
            each(Ok((&beacon, value)));
        }
        taken
    });
}

/// Reads one JSON beacon, with nothing before or after it but white space.
fn read_object<'a>(
    bytes: &'a [u8],
    fields: &Fields,
    quick: &mut Quick,
    beacon: &mut Beacon<'a>,
) -> Result<(), Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed)?;
    if quick.read(text, fields, beacon).is_some() {
        return Ok(());
    }
    *beacon = Beacon::new(Mode::Json);
    read_any_object(text, fields, beacon)
}

/// Reads one JSON beacon, however it is written.
fn read_any_object<'a>(text: &'a str, fields: &Fields, beacon: &mut Beacon<'a>) -> Result<(), Malformed> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let root = Object { fields, node: fields.root(), beacon, seen: &mut 0 };
    reader.deserialize_map(root).and_then(|()| reader.end()).map_err(|_| Malformed)
}

/// The value of an object that holds fields of ours; anything else that lies there is skipped.
struct Object<'f, 'b, 'a> {
    fields: &'f Fields,
    /// The place of what its keys lead to.
    node: usize,
    beacon: &'b mut Beacon<'a>,
    seen: &'b mut u64,
}

impl Object<'_, '_, '_> {
    fn depth(&self) -> u8 {
        self.fields.node(self.node).depth
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(target) = map.next_key_seed(Key { fields: self.fields, node: self.node })? {
            match target {
                Some(Target::Field(field)) => {
                    if *self.seen & field.bit() != 0 {
                        return Err(M::Error::custom("stated twice"));
                    }
                    *self.seen |= field.bit();
                    map.next_value_seed(Value { field, beacon: self.beacon })?;
                }
                Some(Target::Inside(node)) => {
                    let inside = Object { fields: self.fields, node, beacon: self.beacon, seen: self.seen };
                    map.next_value_seed(Inside(inside))?;
                }
                None => map.next_value_seed(Skip { depth: self.depth() })?,
            }
        }
        Ok(())
    }
}

/// An object on the way to a field, or something else that is skipped.
struct Inside<'f, 'b, 'a>(Object<'f, 'b, 'a>);

impl<'de> DeserializeSeed<'de> for Inside<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

/// Visits of scalars that need no look.
macro_rules! skip_scalars {
    () => {
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    };
}

impl<'de> Visitor<'de> for Inside<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    skip_scalars!();

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<(), S::Error> {
        Skip { depth: self.0.depth() - 1 }.visit_seq(seq)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        self.0.visit_map(map)
    }
}

/// A key, as what it leads to.
struct Key<'f> {
    fields: &'f Fields,
    node: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<Target>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<Target>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.fields.node(self.node).target(key))
    }
}

/// The value of a field of ours.
struct Value<'b, 'a> {
    field: Field,
    beacon: &'b mut Beacon<'a>,
}

impl<'de> DeserializeSeed<'de> for Value<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Value<'_, 'de> {
    fn text<E: Error>(self, text: Cow<'de, str>) -> Result<(), E> {
        let Field::Text(field) = self.field else { return Err(E::custom("not a text")) };
        self.beacon.set_text(field, text);
        Ok(())
    }

    fn number<E: Error>(self, amount: impl Fn(Number) -> Option<Amount>) -> Result<(), E> {
        let Field::Number(field) = self.field else { return Err(E::custom("not a number")) };
        self.beacon.set_number(field, amount(field).ok_or_else(|| E::custom("out of range"))?);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Value<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the field's type")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.text(Cow::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.text(Cow::Owned(value.to_owned()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match self.field {
            Field::Text(_) => self.text(Cow::Owned(value.to_string())),
            _ => self.number(|field| Amount::whole(field, value)),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match self.field {
            Field::Text(_) => self.text(Cow::Owned(value.to_string())),
            _ => Err(E::custom("negative")),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(|field| Amount::fraction(field, value))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match self.field {
            Field::Fatal => self.beacon.fatal = value,
            Field::OptOut => self.beacon.opt_out = value,
            _ => return Err(E::custom("not a truth value")),
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A value we do not care for. Unlike [`IgnoredAny`] it does not go deeper than [`MAX_DEPTH`].
pub(crate) struct Skip {
    pub(crate) depth: u8,
}

impl<'de> DeserializeSeed<'de> for Skip {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl Skip {
    fn deeper<E: Error>(self) -> Result<u8, E> {
        if self.depth < MAX_DEPTH { Ok(self.depth + 1) } else { Err(E::custom("too deep")) }
    }
}

impl<'de> Visitor<'de> for Skip {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    skip_scalars!();

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        let depth = self.deeper()?;
        while seq.next_element_seed(Self { depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let depth = self.deeper()?;
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(Self { depth })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
