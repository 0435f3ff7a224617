//! Suggests a known word for a misspelled one.

use strsim::osa_distance;

/// Returns the known word with the smallest edit distance. Returns `None` if the distance is too large for a typing
/// error.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + written.len() / 4;
    let distances = known.into_iter().map(|word| (osa_distance(written, word), word));
    let near = distances.filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// Returns `; did you mean X?` if a known word is similar to the written one, and an empty string otherwise.
#[must_use]
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known).map_or_else(String::new, |word| format!("; did you mean {word}?"))
}
