//! The layout of text tables. Columns are aligned, and two spaces separate them.

use unicode_width::UnicodeWidthStr as _;

/// The text between two columns.
pub const GAP: &str = "  ";

/// The alignment of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// To the left, for text.
    Left,
    /// To the right, for numbers.
    Right,
}

/// Returns the width of a text in columns of a terminal. Combining characters have the width 0, and wide East Asian
/// characters and emoji have the width 2.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Formats a line of a table. Each item of `texts` is the text of a cell, and the width and the alignment of its
/// column. The line has no spaces at its end.
#[must_use]
pub fn line<T: AsRef<str>>(texts: impl IntoIterator<Item = (T, usize, Align)>) -> String {
    let mut line = String::new();
    for (text, wide, align) in texts {
        let text = text.as_ref();
        let gap = " ".repeat(wide.saturating_sub(width(text)));
        let (before, after) = match align {
            Align::Left => ("", gap.as_str()),
            Align::Right => (gap.as_str(), ""),
        };
        line.extend([before, text, after, GAP]);
    }
    line.truncate(line.trim_end().len());
    line
}

/// Formats the lines of a table. Each column is as wide as its widest text.
///
/// The first row is usually the heading. `aligns` contains the alignment of each column.
#[must_use]
pub fn lines<T: AsRef<str>, const N: usize>(aligns: [Align; N], rows: &[[T; N]]) -> Vec<String> {
    let widest = |at: usize| rows.iter().map(|row| width(row[at].as_ref())).max().unwrap_or(0);
    let columns: [(usize, Align); N] = std::array::from_fn(|at| (widest(at), aligns[at]));
    let of = |row: &[T; N]| {
        line(row.iter().zip(columns).map(|(text, (wide, align))| (text.as_ref(), wide, align)))
    };
    rows.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_is_as_wide_as_its_longest_text() {
        let rows = [["topic", "ttl"], ["beacons", "3h"], ["é", "10 days"]];
        let shown = lines([Align::Left, Align::Right], &rows);
        assert_eq!(shown, ["topic        ttl", "beacons       3h", "é        10 days"]);
    }

    #[test]
    fn columns_are_aligned_if_texts_contain_wide_or_combining_characters() {
        assert_eq!(["é", "e\u{301}", "東京", "가나", "🎬", "abc"].map(width), [1, 1, 4, 4, 2, 3]);
        let shown =
            |text: &'static str| line([(text, 5, Align::Left), ("7", 3, Align::Right), ("", 4, Align::Left)]);
        assert_eq!(shown("東京"), "東京     7");
        assert_eq!(shown("abcd"), "abcd     7");
    }
}
