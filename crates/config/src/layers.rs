//! Reads and merges the layers of a configuration: defaults, file, environment and flags.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use toml::de::DeTable;

use crate::error::{ConfigError, Origin};
use crate::nearest::nearest;
use crate::tree::{Content, Node, Section, is_properties, join};
use crate::value::Value;

/// The lowest layer: the default of each key, with a comment.
pub const DEFAULT: &str = include_str!("../../../deploy/default.toml");

const PREFIX: &str = "CROWDFOLD_";

/// The maximum number of words in the key of an environment variable or a flag. It does not apply to names of
/// properties. It limits the nesting of sections, because the code that reads nested sections is recursive.
const DEEPEST: usize = 16;

/// The default length of windows under `differential-privacy`. It is longer than the common default, because the
/// privacy budget of a day is divided between the windows of the day.
const HOURLY: &str = "1h";

/// The keys of all sections and values in the defaults, in the order of the file.
static KNOWN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut keys = Vec::new();
    if let Ok(defaults) = Layers::defaults() {
        defaults.root.list("", &mut keys);
    }
    keys
});

/// A setting from a command-line flag, which takes precedence over all other layers.
#[derive(Clone, Debug)]
pub struct Override {
    /// The key, such as `release.k`.
    pub key: &'static str,
    /// The value, in the same form as in an environment variable.
    pub value: String,
    /// The flag, such as `--k`.
    pub flag: &'static str,
}

/// The merged layers.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    pub(crate) root: Section,
}

impl Layers {
    /// Returns the defaults.
    pub(crate) fn defaults() -> Result<Self, ConfigError> {
        Ok(Self { root: parse(DEFAULT, &|line| Origin::Default { line })? })
    }

    /// Adds the values of a file.
    pub(crate) fn add_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let path: Arc<Path> = path.into();
        let section = parse(text, &|line| Origin::File { path: Arc::clone(&path), line })?;
        self.root.merge(section, "")
    }

    /// Adds the values of environment variables. A variable is a setting only if its name begins with `CROWDFOLD_` and
    /// the rest of the name contains `__`.
    ///
    /// # Errors
    /// Returns an error if a variable has an invalid value, or if its name is a key in which `_` replaces a dot instead
    /// of `__`.
    pub(crate) fn add_environment(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        let ours = |(name, text): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            name.starts_with(PREFIX).then_some((name, text))
        };
        let mut variables: Vec<(String, OsString)> = variables.into_iter().filter_map(ours).collect();
        variables.sort();
        for (name, text) in variables {
            let words = name[PREFIX.len()..].to_lowercase();
            if !words.contains("__") {
                refuse_single_underscores(name, &words)?;
                continue;
            }
            let key = words.replace("__", ".");
            let origin = Origin::Environment(name);
            let text = text.into_string();
            let text =
                text.map_err(|_| ConfigError::new(&origin, &key, "is not UTF-8; set it to text in UTF-8"))?;
            self.add(&key, &origin, text)?;
        }
        Ok(())
    }

    /// Adds the values of flags.
    pub(crate) fn add_flags(&mut self, flags: &[Override]) -> Result<(), ConfigError> {
        flags.iter().try_for_each(|flag| self.add(flag.key, &Origin::Flag(flag.flag), flag.value.clone()))
    }

    fn add(&mut self, key: &str, origin: &Origin, text: String) -> Result<(), ConfigError> {
        let path: Vec<&str> = key.split('.').collect();
        if path.len() > DEEPEST && !path.get(..2).is_some_and(|section| is_properties(&section.join("."))) {
            let message = "is not a known key; see deploy/default.toml for all keys";
            return Err(ConfigError::new(origin, key, message));
        }
        let section = match path.as_slice() {
            // Names of librdkafka's properties contain dots. In the name of a variable, underscores replace these dots.
            [section, inner, name @ ..] if !name.is_empty() && is_properties(&join(section, inner)) => {
                let property = name.join(".").replace('_', ".");
                Section::with_value(&[section, inner, &property], origin, Value::Untyped(text))
            }
            path => Section::with_value(path, origin, Value::Untyped(text)),
        };
        self.root.merge(section, "")
    }

    /// Replaces the defaults that depend on the host or on another key.
    pub(crate) fn derive_defaults(&mut self, host: &str) {
        let is = |node: Option<&Node>, wanted: &str| {
            let content = node.map(|node| &node.content);
            matches!(content, Some(Content::Value(Value::Text(text) | Value::Untyped(text))) if text == wanted)
        };
        if is(self.root.find("kafka.instance"), "")
            && let Some(instance) = self.root.find_mut(&["kafka", "instance"])
        {
            let content = Content::Value(Value::Text(host.into()));
            *instance = Node { origin: Origin::Host, content };
        }
        if is(self.root.find("release.policy"), "differential-privacy")
            && let Some(length) = self.root.find_mut(&["windows", "length"])
            && length.origin.is_default()
        {
            length.content = Content::Value(Value::Text(HOURLY.into()));
        }
    }

    /// Returns the origin of a key. If the key is not set, returns the origin of the innermost section around it that
    /// is set.
    pub(crate) fn origin(&self, key: &str) -> &Origin {
        const UNKNOWN: &Origin = &Origin::Default { line: 1 };
        let mut key = key;
        loop {
            match (self.root.find(key), key.rsplit_once('.')) {
                (Some(node), _) => return &node.origin,
                (None, Some((section, _))) => key = section,
                (None, None) => return UNKNOWN,
            }
        }
    }

    /// Returns true if a layer above the defaults sets a key. For a section, returns true if such a layer sets a key in
    /// it.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        self.root.find(key).is_some_and(Node::is_given)
    }
}

/// Returns the error for an unknown key. `siblings` contains the known keys of its section.
pub(crate) fn unknown_key(origin: &Origin, key: &str, siblings: &[&str]) -> ConfigError {
    let last = |key: &str| key.rsplit_once('.').map_or(key, |(_, last)| last).to_owned();
    let section = key.rsplit_once('.').map_or("", |(section, _)| section);
    let sibling = nearest(&last(key), siblings.iter().copied()).map(|name| join(section, name));
    // If the section of the key is unknown, other sections are not searched. In a section of a single tenant, the
    // message lists the few known keys instead.
    let is_common = section.is_empty() || KNOWN.iter().any(|known| known == section);
    let elsewhere = || KNOWN.iter().find(|known| is_common && last(known) == last(key)).cloned();
    let hint = match sibling.or_else(elsewhere) {
        Some(meant) => format!("did you mean {}?", as_written(origin, &meant)),
        None => format!("known here: {}", siblings.join(", ")),
    };
    ConfigError::new(origin, key, format!("is not a known key; {hint}"))
}

/// Refuses variables such as `CROWDFOLD_RELEASE_K`, which would have no effect. All other variables that begin with
/// `CROWDFOLD_` and contain no `__` are ignored.
fn refuse_single_underscores(name: String, words: &str) -> Result<(), ConfigError> {
    let Some(key) = KNOWN.iter().find(|key| key.contains('.') && key.replace('.', "_") == words) else {
        return Ok(());
    };
    let origin = Origin::Environment(name);
    let meant = as_written(&origin, key);
    let message = format!("is not set by this variable; write {meant}, with two underscores");
    Err(ConfigError::new(&origin, key, message))
}

/// Returns a key in the form that the user must correct. If the error is in an environment variable, this is the name
/// of a variable, such as `CROWDFOLD_RELEASE__K`.
fn as_written(origin: &Origin, key: &str) -> String {
    match origin {
        Origin::Environment(_) => format!("{PREFIX}{}", key.replace('.', "__").to_uppercase()),
        _ => key.into(),
    }
}

fn parse(text: &str, origin: &dyn Fn(usize) -> Origin) -> Result<Section, ConfigError> {
    let at = |position: usize| {
        let before = text.as_bytes().iter().take(position);
        origin(1 + before.filter(|byte| **byte == b'\n').count())
    };
    match DeTable::parse(text) {
        Ok(document) => Ok(Section::from_toml(document.get_ref(), "", &at)),
        Err(error) => {
            // The `Display` of the parser's error quotes the line, which may contain a secret. The method `message`
            // does not quote it.
            let span = error.span().unwrap_or_default();
            let origin = at(span.start);
            let message = match (error.message(), text.get(span)) {
                ("duplicate key", Some(key)) if !key.is_empty() => {
                    format!("not TOML: {key} occurs twice; remove one")
                }
                (message, _) => format!("not TOML: {message}"),
            };
            Err(ConfigError::on_line(&origin, message))
        }
    }
}
