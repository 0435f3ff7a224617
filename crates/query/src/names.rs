//! Checks the names of dimensions and of attributes of tenants.

use crowdfold_model::Dimension;

use crate::QueryError;

#[cfg(test)]
mod tests;

/// The names that a question may contain: the built-in dimensions, the custom dimensions, and the attributes of
/// tenants.
#[derive(Clone, Debug, Default)]
pub struct Names<'a> {
    custom: Vec<&'a str>,
    attributes: Vec<&'a str>,
}

/// A name is neither a dimension nor an attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" is {not}; {known}")]
pub struct UnknownName {
    name: String,
    not: &'static str,
    known: String,
}

impl<'a> Names<'a> {
    /// Creates the list of the built-in dimensions and of these custom dimensions.
    pub fn new(custom: impl IntoIterator<Item = &'a str>) -> Self {
        Self { custom: custom.into_iter().collect(), attributes: Vec::new() }
    }

    /// Also accepts the attributes of tenants.
    #[must_use]
    pub fn with_attributes(mut self, attributes: impl IntoIterator<Item = &'a str>) -> Self {
        self.attributes = attributes.into_iter().collect();
        self
    }

    /// Checks that a name is known.
    ///
    /// # Errors
    /// Returns an error that lists the known names.
    pub fn check(&self, name: &str) -> Result<(), UnknownName> {
        if Dimension::named(name).is_some() || self.custom.contains(&name) || self.attributes.contains(&name)
        {
            return Ok(());
        }
        let dimensions = [&Dimension::ALL.map(Dimension::name), &self.custom[..]].concat().join(", ");
        let (not, known) = if self.attributes.is_empty() {
            ("not a dimension", format!("the dimensions are {dimensions}"))
        } else {
            let attributes = self.attributes.join(", ");
            (
                "neither a dimension nor an attribute",
                format!("the dimensions are {dimensions}; the attributes of tenants are {attributes}"),
            )
        };
        Err(UnknownName { name: name.escape_debug().to_string(), not, known })
    }
}

/// Parses a list of names, such as `os,browser` or `os.browser`. The keys of rollup records contain dots.
///
/// # Errors
/// Returns an error if a name is empty or occurs twice. `parameter` is the name of the parameter that contains the
/// list.
pub fn list_of_names(parameter: &'static str, list: &str) -> Result<Vec<String>, QueryError> {
    let names: Vec<String> = list.split([',', '.']).map(|name| name.trim().to_owned()).collect();
    let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    if twice || names.iter().any(String::is_empty) {
        return Err(QueryError::List { parameter, list: list.to_owned() });
    }
    Ok(names)
}
