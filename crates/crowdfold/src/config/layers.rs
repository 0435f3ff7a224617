//! Defaults, file, environment, flags: one over the other, each value with its origin.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use super::own;
use super::problem::{Origin, Problem};
use super::value::Value;

/// What the program loads first, and what says which keys there are.
pub const DEFAULT: &str = include_str!("../../../../deploy/default.toml");

/// Sections whose keys are not ours to list.
const OPEN: [&str; 5] =
    ["kafka.properties", "kafka.eraser", "principals.tenants", "source.fields", "source.log"];

/// Those of them whose keys are librdkafka's.
const LIBRDKAFKA: [&str; 2] = ["kafka.properties.", "kafka.eraser."];

const PREFIX: &str = "CROWDFOLD_";

/// Keys whose value is a word, or else a number or a list.
const WORD_OR_ELSE: [&str; 2] = ["release.margin", "release.detail_breakdown"];

/// A value that a flag of the command line puts over all others.
#[derive(Clone, Debug)]
pub struct Override {
    /// The key, such as `release.k`.
    pub key: &'static str,
    /// The value, as the environment would write it.
    pub value: String,
    /// The flag, such as `--k`.
    pub flag: &'static str,
}

/// A value and where it was given.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Entry {
    fn section(origin: Origin) -> Self {
        Self { value: Value::Strange("a section"), origin }
    }
}

/// All values by their dotted key, the last layer's where several give one.
#[derive(Clone)]
pub(super) struct Layers {
    pub(super) entries: BTreeMap<String, Entry>,
    /// Every key of the defaults, in their order.
    pub(super) keys: Vec<String>,
    /// Every section of the defaults, in their order.
    pub(super) sections: Vec<String>,
    /// Where sections of one tenant were first given, by name.
    pub(super) of_tenants: BTreeMap<String, Origin>,
}

impl Layers {
    /// The defaults alone.
    pub(super) fn defaults() -> Result<Self, Problem> {
        let mut layers = Self {
            entries: BTreeMap::new(),
            keys: Vec::new(),
            sections: Vec::new(),
            of_tenants: BTreeMap::new(),
        };
        let (mut sections, mut found) = (Vec::new(), Vec::new());
        let document = parse(DEFAULT, &|line| Origin::Default { line })?;
        collect(document.get_ref(), "", &mut sections, &mut found);
        sections.sort_by_key(|(_, at)| *at);
        found.sort_by_key(|(_, at, _)| *at);
        layers.sections = sections.into_iter().map(|(section, _)| section).collect();
        for (key, at, value) in found {
            let origin = Origin::Default { line: line_of(DEFAULT, at) };
            layers.keys.push(key.clone());
            layers.entries.insert(key, Entry { value, origin });
        }
        Ok(layers)
    }

    /// Puts a file's values over what is there.
    pub(super) fn add_file(&mut self, path: &Path, text: &str) -> Result<(), Problem> {
        let path: Arc<Path> = path.into();
        let origin = |line| Origin::File { path: Arc::clone(&path), line };
        let document = parse(text, &origin)?;
        let (mut sections, mut found) = (Vec::new(), Vec::new());
        collect(document.get_ref(), "", &mut sections, &mut found);
        found.sort_by_key(|(_, at, _)| *at);
        for (key, at, value) in found {
            self.put(&key, Entry { value, origin: origin(line_of(text, at)) })?;
        }
        for (section, at) in sections.iter().filter(|(section, _)| own::is_section(section)) {
            self.of_tenants.entry(section.clone()).or_insert_with(|| origin(line_of(text, *at)));
        }
        let is_known = |section: &String| {
            self.is_section(section) || open(section).is_some() || self.of_tenants.contains_key(section)
        };
        let strange = sections.iter().find(|(section, _)| !is_known(section));
        strange.map_or(Ok(()), |(section, at)| self.put(section, Entry::section(origin(line_of(text, *at)))))
    }

    /// Puts environment variables over what is there: those named `CROWDFOLD_` and at least one `__` after it.
    pub(super) fn add_environment(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), Problem> {
        let ours = |(name, text): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            name.strip_prefix(PREFIX)?.contains("__").then_some((name, text))
        };
        let mut variables: Vec<(String, OsString)> = variables.into_iter().filter_map(ours).collect();
        variables.sort();
        for (name, text) in variables {
            let key = key_of_variable(&name[PREFIX.len()..]);
            let origin = Origin::Environment(name);
            let text = text.into_string().map_err(|_| Problem::at(&origin, &key, "is not UTF-8"))?;
            let common = own::common(&key).unwrap_or_else(|| key.clone());
            let like = self.entries.get(&key).or_else(|| self.entries.get(&common));
            let value = if WORD_OR_ELSE.contains(&common.as_str()) {
                Value::word_or_else(&text)
            } else {
                Value::from_environment(&text, like.map(|entry| &entry.value))
            };
            self.put(&key, Entry { value, origin })?;
        }
        Ok(())
    }

    /// Puts flags over what is there.
    pub(super) fn add_flags(&mut self, flags: &[Override]) -> Result<(), Problem> {
        for flag in flags {
            let like = self.entries.get(flag.key).map(|entry| &entry.value);
            let value = Value::from_environment(&flag.value, like);
            self.put(flag.key, Entry { value, origin: Origin::Flag(flag.flag) })?;
        }
        Ok(())
    }

    /// Another default for a key, where another key's value asks for it.
    pub(super) fn default_to(&mut self, key: &str, value: &str) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.value = Value::Text(value.into());
        }
    }

    /// The entries of an open section, by what follows its name.
    pub(super) fn under<'a>(&'a self, section: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let named = move |key: &'a String| key.strip_prefix(section)?.strip_prefix('.');
        self.entries.iter().filter_map(move |(key, entry)| Some((named(key)?, entry)))
    }

    fn put(&mut self, key: &str, entry: Entry) -> Result<(), Problem> {
        if self.is_section(key) || own::is_section(key) {
            let what =
                format!("found {}, but this is a section: write [{key}] and its keys", entry.value.kind());
            return Err(Problem::at(&entry.origin, key, what));
        }
        let within =
            |known: &&String| key.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('.'));
        if let Some(known) = self.keys.iter().find(within) {
            return Err(Problem::at(
                &entry.origin,
                known,
                "found a section, but this is a key: give it a value",
            ));
        }
        if open(key).is_none() && !self.keys.iter().any(|known| known == key) && !own::is_key(key) {
            return Err(self.unknown(&entry.origin, key));
        }
        if let Some(section) = own::section_of(key) {
            self.of_tenants.entry(section.into()).or_insert_with(|| entry.origin.clone());
        }
        self.entries.insert(key.into(), entry);
        Ok(())
    }

    fn is_section(&self, key: &str) -> bool {
        self.sections.iter().any(|section| section == key)
    }

    fn unknown(&self, origin: &Origin, key: &str) -> Problem {
        if let Some(remedy) = own::remedy(key, |meant| in_words_of(origin, meant)) {
            return Problem::at(origin, key, format!("unknown key; {remedy}"));
        }
        let known = || self.keys.iter().chain(&self.sections).map(String::as_str);
        let last = |key: &'_ str| key.rsplit_once('.').map_or(key.to_owned(), |(_, last)| last.to_owned());
        let elsewhere = || known().find(|known| last(known) == last(key));
        let section = key.rsplit_once('.').map_or("", |(section, _)| section);
        let here = |known: &&str| match known.rsplit_once('.') {
            Some((parent, _)) => parent == section,
            None => section.is_empty(),
        };
        let remedy = nearest(key, known()).or_else(elsewhere).map_or_else(
            || {
                let siblings: Vec<String> = known().filter(here).map(last).collect();
                if siblings.is_empty() {
                    "see deploy/default.toml for all keys".into()
                } else {
                    format!("known here: {}", siblings.join(", "))
                }
            },
            |meant| format!("did you mean {}?", in_words_of(origin, meant)),
        );
        Problem::at(origin, key, format!("unknown key; {remedy}"))
    }
}

/// The name inside an open section, for a key that lies in one.
fn open(key: &str) -> Option<&str> {
    OPEN.iter().find_map(|section| key.strip_prefix(section)?.strip_prefix('.'))
}

/// `release.k`, or `CROWDFOLD_RELEASE__K` to someone who wrote a variable.
fn in_words_of(origin: &Origin, key: &str) -> String {
    match origin {
        Origin::Environment(_) => format!("{PREFIX}{}", key.replace('.', "__").to_uppercase()),
        _ => key.into(),
    }
}

/// `RELEASE__PRIVACY__EPSILON` is `release.privacy.epsilon`; librdkafka's names have a dot for each `_`.
fn key_of_variable(name: &str) -> String {
    let key = name.to_lowercase().replace("__", ".");
    let theirs = LIBRDKAFKA.iter().find_map(|section| Some((section, key.strip_prefix(section)?)));
    match theirs {
        Some((section, property)) => format!("{section}{}", property.replace('_', ".")),
        None => key,
    }
}

fn parse<'a>(text: &'a str, origin: &dyn Fn(usize) -> Origin) -> Result<Spanned<DeTable<'a>>, Problem> {
    DeTable::parse(text).map_err(|error| {
        // Its `Display` quotes the line, which may hold a secret; its message alone does not.
        let at = error.span().map_or(0, |span| span.start);
        Problem::on(&origin(line_of(text, at)), format!("not TOML: {}", error.message()))
    })
}

type Found = (String, usize, Value);

/// All values of a table and of the tables in it, with the location of each, and all tables.
fn collect(table: &DeTable<'_>, within: &str, sections: &mut Vec<(String, usize)>, found: &mut Vec<Found>) {
    for (name, value) in table {
        let key = if within.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{within}.{}", name.get_ref())
        };
        match value.get_ref() {
            DeValue::Table(inner) => {
                collect(inner, &key, sections, found);
                sections.push((key, name.span().start));
            }
            other => found.push((key, name.span().start, Value::from_toml(other))),
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}
