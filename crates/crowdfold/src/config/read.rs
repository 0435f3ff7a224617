//! Values as what they mean, or a [`Problem`] that says what would do.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::duration::{parse_duration, show_duration};
use super::layers::{Entry, Layers};
use super::nearest::nearest;
use super::problem::Problem;
use super::value::Value;

impl Layers {
    fn entry(&self, key: &str) -> &Entry {
        self.entries.get(key).unwrap_or_else(|| unreachable!("{key} is not in default.toml"))
    }

    /// Whether any layer gives a key that the defaults do not have.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// A refusal of a key's value, at its location.
    pub(super) fn refuse(&self, key: &str, what: impl Into<String>) -> Problem {
        Problem::at(&self.entry(key).origin, key, what)
    }

    /// Whether only the defaults give a key.
    pub(super) fn untouched(&self, key: &str) -> bool {
        self.entry(key).origin.is_default()
    }

    /// A refusal that names its key itself, at that key's location.
    pub(super) fn refuse_as(&self, key: &str, what: &dyn Display) -> Problem {
        Problem::on(&self.entry(key).origin, what.to_string())
    }

    fn wrong(&self, key: &str, want: &str) -> Problem {
        let found = match &self.entry(key).value {
            Value::Strange(kind) => (*kind).to_owned(),
            value => format!("{} {value}", value.kind()),
        };
        self.refuse(key, format!("found {found}, want {want}"))
    }

    pub(super) fn text(&self, key: &str) -> Result<&str, Problem> {
        match &self.entry(key).value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong(key, "a string")),
        }
    }

    /// A string, where the empty one stands for none.
    pub(super) fn optional(&self, key: &str) -> Result<Option<&str>, Problem> {
        self.text(key).map(|text| Some(text).filter(|text| !text.is_empty()))
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, Problem> {
        match self.entry(key).value {
            Value::Flag(flag) => Ok(flag),
            _ => Err(self.wrong(key, "true or false")),
        }
    }

    pub(super) fn whole(&self, key: &str, range: RangeInclusive<u64>) -> Result<u64, Problem> {
        let within = |number: i64| u64::try_from(number).ok().filter(|number| range.contains(number));
        let number = match self.entry(key).value {
            Value::Whole(number) => within(number),
            _ => None,
        };
        number.ok_or_else(|| {
            self.wrong(key, &format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A whole number in the range, or `None` for a word that stands for the default.
    pub(super) fn whole_unless(
        &self,
        key: &str,
        word: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let number = match &self.entry(key).value {
            Value::Text(text) if text == word => return Ok(None),
            Value::Whole(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        number.filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            self.wrong(key, &format!("\"{word}\" or a whole number from {least} to {most}"))
        })
    }

    /// A number above 0, up to `most`.
    pub(super) fn real(&self, key: &str, most: f64) -> Result<f64, Problem> {
        let number = match self.entry(key).value {
            Value::Real(number) => Some(number),
            Value::Whole(number) => u32::try_from(number).ok().map(f64::from),
            _ => None,
        };
        let number = number.filter(|number| *number > 0.0 && *number <= most);
        number.ok_or_else(|| self.wrong(key, &format!("a number above 0, to {most}")))
    }

    /// A duration in milliseconds.
    pub(super) fn duration(&self, key: &str, range: RangeInclusive<u64>) -> Result<u64, Problem> {
        let millis = match &self.entry(key).value {
            Value::Text(text) => parse_duration(text),
            _ => None,
        };
        millis.filter(|millis| range.contains(millis)).ok_or_else(|| {
            let (least, most) = (show_duration(*range.start()), show_duration(*range.end()));
            self.wrong(key, &format!("a duration from {least} to {most}, such as \"90s\""))
        })
    }

    /// One of a closed list of words.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T, Problem> {
        let Value::Text(text) = &self.entry(key).value else {
            return Err(self.wrong(key, &one_of(choices.iter().map(|(name, _)| *name))));
        };
        choices
            .iter()
            .find_map(|(name, choice)| (name == text).then_some(*choice))
            .ok_or_else(|| self.wrong(key, &one_of(choices.iter().map(|(name, _)| *name))))
    }

    /// A list of strings.
    pub(super) fn words(&self, key: &str) -> Result<Vec<String>, Problem> {
        let Value::List(items) = &self.entry(key).value else {
            return Err(self.wrong(key, "a list of strings"));
        };
        words(items).ok_or_else(|| self.wrong(key, "a list of strings"))
    }

    /// A list of strings, or one string with commas between them.
    pub(super) fn words_or_line(&self, key: &str) -> Result<Vec<String>, Problem> {
        let found = match &self.entry(key).value {
            Value::Text(line) => {
                let words = line.split(',').map(str::trim).filter(|word| !word.is_empty());
                Some(words.map(str::to_owned).collect())
            }
            Value::List(items) => words(items),
            _ => None,
        };
        found.ok_or_else(|| self.wrong(key, "a list of strings, or one string with commas"))
    }

    /// One of a closed list of words, or a list of strings.
    pub(super) fn choice_or_words<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Result<T, Vec<String>>, Problem> {
        let found = match &self.entry(key).value {
            Value::Text(text) => {
                if let Some((_, choice)) = choices.iter().find(|(name, _)| name == text) {
                    return Ok(Ok(*choice));
                }
                None
            }
            Value::List(items) => words(items),
            _ => None,
        };
        found.map(Err).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.wrong(key, &format!("{} or a list of strings", names.join(", ")))
        })
    }

    /// A list of lists of strings.
    pub(super) fn tables(&self, key: &str) -> Result<Vec<Vec<String>>, Problem> {
        let want = "a list of lists, such as [[\"country\", \"asn\"], [\"os\", \"browser\"]]";
        let Value::List(items) = &self.entry(key).value else {
            return Err(self.wrong(key, want));
        };
        let table = |item: &Value| match item {
            Value::List(items) => words(items),
            _ => None,
        };
        items.iter().map(table).collect::<Option<_>>().ok_or_else(|| self.wrong(key, want))
    }
}

/// The items, where all are strings.
pub(super) fn words(items: &[Value]) -> Option<Vec<String>> {
    let word = |item: &Value| match item {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    items.iter().map(word).collect()
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("one of {}", names.collect::<Vec<_>>().join(", "))
}

/// `, did you mean X?`, where something known is near.
pub(super) fn meant<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known).map_or_else(String::new, |word| format!("; did you mean {word}?"))
}
