//! The path of a field inside a value. The path is formatted only if there is a finding, because most values have none.

use std::fmt;

/// A path inside a value, as a linked list from the innermost part to the outermost. It is formatted as a JSON
/// pointer.
#[derive(Clone, Copy)]
pub(crate) struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    part: Part<'p>,
}

#[derive(Clone, Copy)]
enum Part<'p> {
    /// The beginning of the path, which is formatted as this string.
    Root(&'static str),
    Name(&'p str),
    Number(usize),
    /// A member whose name must not be shown. It is formatted as its position in the object, counted from 0.
    Hidden(usize),
}

impl<'p> Path<'p> {
    pub(crate) const fn root(name: &'static str) -> Self {
        Self { outer: None, part: Part::Root(name) }
    }

    pub(crate) const fn name(&'p self, name: &'p str) -> Self {
        Self { outer: Some(self), part: Part::Name(name) }
    }

    pub(crate) const fn number(&'p self, number: usize) -> Self {
        Self { outer: Some(self), part: Part::Number(number) }
    }

    pub(crate) const fn hidden(&'p self, number: usize) -> Self {
        Self { outer: Some(self), part: Part::Hidden(number) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            outer.fmt(f)?;
        }
        match self.part {
            Part::Root(name) => f.write_str(name),
            Part::Name(name) => write!(f, "/{name}"),
            Part::Number(number) => write!(f, "/{number}"),
            Part::Hidden(number) => write!(f, "/{{{number}}}"),
        }
    }
}
