//! The layout of text tables: columns two spaces apart, aligned by the widths of their texts.

use unicode_width::UnicodeWidthStr as _;

/// The space between columns.
pub const GAP: &str = "  ";

/// The alignment of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Returns the width of a text in terminal columns: 0 for combining characters, 2 for wide East Asian characters and
/// emoji.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Lays out a line of a table: each text with the width and the alignment of its column. The last column is not padded.
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

/// Lays out the lines of a table, with each column as wide as its longest text.
///
/// The first line is usually the heading. `aligns` has the alignment of each column.
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
    fn columns_are_as_wide_as_their_longest_text() {
        let rows = [["topic", "ttl"], ["beacons", "3h"], ["é", "10 days"]];
        let shown = lines([Align::Left, Align::Right], &rows);
        assert_eq!(shown, ["topic        ttl", "beacons       3h", "é        10 days"]);
    }

    #[test]
    fn lines_are_aligned_under_wide_and_combining_letters() {
        assert_eq!(["é", "e\u{301}", "東京", "가나", "🎬", "abc"].map(width), [1, 1, 4, 4, 2, 3]);
        let shown =
            |text: &'static str| line([(text, 5, Align::Left), ("7", 3, Align::Right), ("", 4, Align::Left)]);
        assert_eq!(shown("東京"), "東京     7");
        assert_eq!(shown("abcd"), "abcd     7");
    }
}
