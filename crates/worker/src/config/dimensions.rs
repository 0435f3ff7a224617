//! Checks the custom dimensions (`[dimensions]`).

use std::collections::BTreeMap;

use crowdfold_airlock::{Scanner, Settings, is_publishable};
use crowdfold_config::{ConfigError, CustomDimension, Loaded, did_you_mean};
use crowdfold_model::{
    Custom, CustomDimensions, CustomSource, CustomValues, Dimension, Family, Metric, ROW_FIELDS,
};

/// The custom dimensions of every tenant, and the places in beacons from which their values are read.
#[derive(Clone, Default)]
pub(super) struct CustomDefinitions {
    pub(super) dimensions: CustomDimensions,
    pub(super) sources: Vec<CustomSource>,
}

/// Checks the custom dimensions, and gives each a number.
pub(super) fn read(loaded: &Loaded) -> Result<CustomDefinitions, ConfigError> {
    let settings = &loaded.settings.dimensions;
    let mut reader = Reader {
        loaded,
        scanner: Scanner::new(&loaded.settings.audit.known),
        sources: Vec::new(),
        first: Vec::new(),
    };
    let common = reader.list("dimensions", &BTreeMap::new(), &settings.common)?;
    let mut own = Vec::new();
    for (tenant, list) in &settings.tenants {
        own.push((tenant.clone(), reader.list(&format!("dimensions.tenants.{tenant}"), &common, list)?));
    }
    let all = |list: BTreeMap<String, Dimension>| list.into_values().collect();
    let dimensions =
        CustomDimensions::new(all(common), own.into_iter().map(|(tenant, list)| (tenant, all(list))));
    attributes(loaded, &dimensions)?;
    Ok(CustomDefinitions { dimensions, sources: reader.sources })
}

/// Checks that no attribute of a tenant has the name of a custom dimension.
fn attributes(loaded: &Loaded, dimensions: &CustomDimensions) -> Result<(), ConfigError> {
    let names = dimensions.names();
    for (tenant, attributes) in &loaded.settings.tenants.attributes {
        if let Some(name) = attributes.keys().find(|name| names.contains(&name.as_str())) {
            let message = "has the name of a custom dimension, so queries could not tell them apart; choose another name";
            return Err(loaded.error(&format!("tenants.attributes.{tenant}.{name}"), message));
        }
    }
    Ok(())
}

struct Reader<'a> {
    loaded: &'a Loaded,
    scanner: Scanner,
    sources: Vec<CustomSource>,
    /// For each source, the key of the first dimension that uses it.
    first: Vec<String>,
}

impl Reader<'_> {
    /// Reads the dimensions of a section. Returns them together with the dimensions in `inherited`. A dimension of the
    /// section replaces the inherited dimension with the same name.
    fn list(
        &mut self,
        section: &str,
        inherited: &BTreeMap<String, Dimension>,
        list: &BTreeMap<String, CustomDimension>,
    ) -> Result<BTreeMap<String, Dimension>, ConfigError> {
        let mut all = inherited.clone();
        for (name, settings) in list {
            let key = format!("{section}.{name}");
            let dimension = self.dimension(&key, name, settings)?;
            all.insert(name.clone(), dimension);
            let same = |other: &&Dimension| other.name() != name && other.index() == dimension.index();
            if let Some(other) = all.values().find(same) {
                let message = format!(
                    "has the source of the dimension {other}; give it another one, or remove one of them"
                );
                return Err(self.loaded.error(&key, message));
            }
            if all.len() > Custom::MOST {
                let message = format!(
                    "is dimension number {} of its tenants; define at most {}",
                    all.len(),
                    Custom::MOST
                );
                return Err(self.loaded.error(&key, message));
            }
        }
        Ok(all)
    }

    fn dimension(
        &mut self,
        key: &str,
        name: &str,
        settings: &CustomDimension,
    ) -> Result<Dimension, ConfigError> {
        self.check_name(key, name)?;
        let values = self.values(key, settings)?;
        self.check_family(key, settings.family.as_deref())?;
        let source = self.source(key, settings)?;
        Custom::dimension(name, source, settings.family.as_deref(), &values).ok_or_else(|| {
            let message = format!(
                "has source number {}, but all tenants together may have {}; use sources of other dimensions again, or \
                 remove dimensions",
                source + 1,
                Custom::MOST_SOURCES
            );
            self.loaded.error(key, message)
        })
    }

    fn check_name(&self, key: &str, name: &str) -> Result<(), ConfigError> {
        let kind = if !is_name(name) {
            let message = "is not a valid name; use 1 to 40 of a-z, 0-9 and _, starting with a letter";
            return Err(self.loaded.error(key, message));
        } else if Dimension::named(name).is_some() {
            "dimension"
        } else if Metric::ALL.into_iter().any(|metric| metric.name() == name) {
            "metric"
        } else if Family::named(name).is_some() {
            "family"
        } else if Settings::field_names().any(|field| field == name) {
            "field of a beacon"
        } else if ROW_FIELDS.contains(&name) {
            "field of a row or column of a query"
        } else {
            return Ok(());
        };
        Err(self.loaded.error(key, format!("has the name of a {kind}; choose another name")))
    }

    fn values(&self, key: &str, settings: &CustomDimension) -> Result<CustomValues, ConfigError> {
        let key = format!("{key}.values");
        let refuse = |message: String| Err(self.loaded.error(&key, message));
        let values = match (&settings.values, settings.open) {
            (Some(_), true) => {
                return refuse("is set, but open = true permits any value; remove one of them".into());
            }
            (None, true) => return Ok(CustomValues::Open),
            (None, false) => {
                return refuse("is missing; list the values, or set open = true to permit any text".into());
            }
            (Some(values), false) => values,
        };
        if values.is_empty() || values.len() > Custom::MOST_VALUES {
            return refuse(format!("has {} values; list 1 to {}", values.len(), Custom::MOST_VALUES));
        }
        for (at, value) in values.iter().enumerate() {
            let shown = value.escape_debug();
            if !is_publishable(value, &self.scanner) {
                return refuse(format!(
                    "contains \"{shown}\", which cannot be published, because it is reserved, too long or looks like an \
                     identifier; choose another value"
                ));
            }
            if values[..at].iter().any(|other| other.eq_ignore_ascii_case(value)) {
                return refuse(format!(
                    "contains \"{shown}\" twice, because case does not matter; remove one"
                ));
            }
        }
        Ok(CustomValues::Closed(values.clone()))
    }

    fn check_family(&self, key: &str, family: Option<&str>) -> Result<(), ConfigError> {
        let Some(family) = family.filter(|family| Family::named(family).is_none()) else { return Ok(()) };
        let message = match Dimension::named(family) {
            Some(dimension) => format!("is a dimension; set it to its family, {}", dimension.family()),
            None if !is_name(family) => {
                "is not a valid name; use 1 to 40 of a-z, 0-9 and _, starting with a letter".into()
            }
            None => return Ok(()),
        };
        Err(self.loaded.error(&format!("{key}.family"), message))
    }

    /// Returns the index of the source of a dimension. Dimensions of different tenants may have the same source.
    fn source(&mut self, key: &str, settings: &CustomDimension) -> Result<usize, ConfigError> {
        let CustomDimension { from, cmcd, log, .. } = settings;
        if from.is_none() && cmcd.is_none() && log.is_none() {
            let message = "has no source; set from, cmcd or log";
            return Err(self.loaded.error(key, message));
        }
        self.check_path(key, "from", from.as_deref())?;
        self.check_cmcd(key, cmcd.as_deref())?;
        self.check_path(key, "log", log.as_deref())?;
        let source = CustomSource { json: from.clone(), cmcd: cmcd.clone(), log: log.clone() };
        for (at, known) in self.sources.iter().enumerate() {
            if *known == source {
                return Ok(at);
            }
            if overlap(known.json.as_deref(), from.as_deref())
                || overlap(known.log.as_deref(), log.as_deref())
                || known.cmcd.is_some() && known.cmcd == *cmcd
            {
                let message = format!(
                    "has a part of the source of {}; give both the same from, cmcd and log, or different ones",
                    self.first[at]
                );
                return Err(self.loaded.error(key, message));
            }
        }
        self.sources.push(source);
        self.first.push(key.into());
        Ok(self.sources.len() - 1)
    }

    /// Checks that a path does not overlap with the path of another field.
    fn check_path(&self, key: &str, name: &str, path: Option<&[String]>) -> Result<(), ConfigError> {
        let Some(path) = path else { return Ok(()) };
        let source = &self.loaded.settings.source;
        let key = format!("{key}.{name}");
        let taken = if name == "log" {
            if source.log.is_empty() {
                let message =
                    "is read from logs only, but source.log is empty; describe the log there, or remove it";
                return Err(self.loaded.error(&key, message));
            }
            source
                .log
                .iter()
                .find(|(_, other)| overlap(Some(path), Some(other)))
                .map(|(field, _)| field.clone())
        } else {
            let overlaps = |field: &&str| match source.fields.get(*field) {
                Some(other) => overlap(Some(path), Some(other)),
                None => path.first().is_some_and(|first| first == field),
            };
            Settings::field_names().find(overlaps).map(str::to_owned)
        };
        taken.map_or(Ok(()), |field| {
            let message = format!("overlaps with the path of the field {field}; name another key");
            Err(self.loaded.error(&key, message))
        })
    }

    fn check_cmcd(&self, key: &str, cmcd: Option<&str>) -> Result<(), ConfigError> {
        let Some(cmcd) = cmcd else { return Ok(()) };
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._*".contains(&byte);
        let is_key = (3..=64).contains(&cmcd.len())
            && cmcd.starts_with(|first: char| first.is_ascii_lowercase())
            && cmcd.contains('-')
            && cmcd.bytes().all(letter);
        let message = if !is_key {
            "is not a custom CMCD key; set it to a key with a hyphen, such as \"com.example-arm\"".into()
        } else if let Some(dimension) = Dimension::of_custom_cmcd(cmcd) {
            format!(
                "is the registered key of the dimension {dimension}; use that dimension, or name another key"
            )
        } else if USER_KEYS.contains(&cmcd) {
            "is the registered key of a user id; name a key that does not identify a person".into()
        } else {
            return Ok(());
        };
        Err(self.loaded.error(&format!("{key}.cmcd"), message))
    }
}

/// The registered custom CMCD key of user ids, in both of its forms.
const USER_KEYS: [&str; 2] = ["org.svta-u-i", "org.svta.u-i"];

/// Returns true if two paths are equal, or if one path leads into the other.
fn overlap(one: Option<&[String]>, other: Option<&[String]>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    one.starts_with(other) || other.starts_with(one)
}

fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=40).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(word)
}

/// Returns the dimension with this name of a tenant, or the error message for an unknown name.
pub(super) fn named(
    dimensions: &CustomDimensions,
    tenant: Option<&str>,
    name: &str,
) -> Result<Dimension, String> {
    let custom = tenant.map_or(dimensions.common(), |tenant| dimensions.of(tenant));
    let find = || custom.iter().copied().find(|dimension| dimension.name() == name);
    Dimension::named(name).or_else(find).ok_or_else(|| {
        let custom = custom.iter().map(|dimension| dimension.name());
        let known: Vec<&str> = Dimension::ALL.map(Dimension::name).into_iter().chain(custom).collect();
        let hint = match did_you_mean(name, known.iter().copied()) {
            hint if hint.is_empty() => format!("; the dimensions are {}", known.join(", ")),
            hint => hint,
        };
        let whose = if dimensions.names().contains(&name) { " of all tenants" } else { "" };
        format!("names \"{}\", which is not a dimension{whose}{hint}", name.escape_debug())
    })
}
