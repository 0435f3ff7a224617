//! Runs of characters of one class, and the separators between them.

/// A run of ASCII characters of one class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a> {
    /// The text before this run, from the end of the previous run or from the beginning of the text.
    pub(crate) gap: &'a str,
    /// The characters of the run.
    pub(crate) text: &'a str,
    /// The offset of the first byte of the run in the text.
    pub(crate) start: usize,
}

impl Group<'_> {
    pub(crate) const fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Returns all runs of bytes for which `belongs` returns true.
pub(crate) fn groups(text: &str, belongs: fn(&u8) -> bool) -> Vec<Group<'_>> {
    let bytes = text.as_bytes();
    let mut groups = Vec::new();
    let (mut before, mut at) = (0, 0);
    while at < bytes.len() {
        if !belongs(&bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && belongs(&bytes[at]) {
            at += 1;
        }
        groups.push(Group { gap: &text[before..start], text: &text[start..at], start });
        before = at;
    }
    groups
}

pub(crate) fn is_bracket(character: char) -> bool {
    "()[]{}<>".contains(character)
}

/// The maximum length of a separator in bytes. ` (dot) ` with two more spaces has this length.
const LONGEST: usize = 9;

/// Returns the character that represents a separator, or `None` if the text is not a separator. Spaces and brackets
/// around another character are ignored. The words `dot`, `point` and `punkt` represent a dot.
pub(crate) fn separator(gap: &str) -> Option<char> {
    if let [byte] = gap.as_bytes() {
        let character = char::from(*byte);
        return match character {
            _ if is_bracket(character) => Some('('),
            'x' | 'X' => Some('x'),
            // A percent character begins an escape, which is decoded separately.
            '%' => None,
            _ if character.is_ascii_alphanumeric() => None,
            _ => Some(character),
        };
    }
    if gap.is_empty() || gap.len() > LONGEST {
        return None;
    }
    let inner = gap.trim_matches(|character: char| character.is_whitespace() || is_bracket(character));
    let Some(first) = inner.chars().next() else {
        return Some(if gap.contains(is_bracket) { '(' } else { ' ' });
    };
    if first.is_alphanumeric() {
        let dot = ["dot", "point", "punkt"].iter().any(|word| inner.eq_ignore_ascii_case(word));
        return if dot { Some('.') } else { inner.eq_ignore_ascii_case("x").then_some('x') };
    }
    inner.chars().all(|character| character == first).then_some(first)
}

/// Returns true if there are `count` consecutive groups that `is` accepts, with the same separator between them.
pub(crate) fn chained(groups: &[Group<'_>], count: usize, is: impl Fn(&str) -> bool) -> bool {
    groups.windows(count).any(|row| {
        row.iter().all(|group| is(group.text))
            && separator(row[1].gap)
                .is_some_and(|first| row[2..].iter().all(|group| separator(group.gap) == Some(first)))
    })
}

/// Returns true if there are `count` consecutive groups that `is` accepts, with the same separator between them. The
/// separator must be one of `separators`, without spaces or brackets around it.
pub(crate) fn chained_by(
    groups: &[Group<'_>],
    count: usize,
    separators: &[&str],
    is: impl Fn(&str) -> bool,
) -> bool {
    groups.windows(count).any(|row| {
        let first = row[1].gap;
        separators.contains(&first)
            && row[2..].iter().all(|group| group.gap == first)
            && row.iter().all(|group| is(group.text))
    })
}

pub(crate) fn is_hexadecimal(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns true if a word contains a digit, and letters of only one case.
pub(crate) fn is_mixed(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
    has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) != has(u8::is_ascii_uppercase)
}

pub(crate) fn words(text: &str) -> Vec<Group<'_>> {
    groups(text, u8::is_ascii_alphanumeric)
}
