//! Skips objects and arrays without recursion, so that deep nesting cannot overflow the stack.

use super::{Position, key, open_key, rare_blank, skip_scalar};

/// The maximum depth of nesting in a value that is skipped.
pub(super) const MAX_DEPTH: usize = 1_024;

/// Returns the position after the object or array that begins at `at`. The first scan stores the open brackets in one
/// word, which has space for 63 levels. Values with more levels are rare, and are scanned a second time.
pub(super) fn skip_nested(bytes: &[u8], at: usize) -> Position {
    match skip_within(bytes, at, Shallow(1)) {
        Err(Fault::TooDeep(_)) => skip_deep(bytes, at),
        Err(Fault::NoJson(at)) => Err(at),
        Ok(end) => Ok(end),
    }
}

#[cold]
fn skip_deep(bytes: &[u8], at: usize) -> Position {
    let deep = Deep { objects: [0; MAX_DEPTH / 64], depth: 0 };
    skip_within(bytes, at, deep).map_err(|(Fault::TooDeep(at) | Fault::NoJson(at))| at)
}

/// The reason why a value cannot be skipped, with the position of the problem.
enum Fault {
    TooDeep(usize),
    NoJson(usize),
}

impl From<usize> for Fault {
    fn from(at: usize) -> Self {
        Self::NoJson(at)
    }
}

/// A stack of open brackets.
trait Brackets {
    /// Adds an opening bracket. Returns false if the maximum depth is exceeded.
    fn open(&mut self, is_object: bool) -> bool;
    fn close(&mut self);
    fn any(&self) -> bool;
    /// Returns true if the innermost bracket belongs to an object.
    fn in_object(&self) -> bool;
}

/// A stack of up to 63 brackets, with one bit for each. The bit above the outermost bracket is set.
struct Shallow(u64);

impl Brackets for Shallow {
    fn open(&mut self, is_object: bool) -> bool {
        let has_room = self.0 >> 63 == 0;
        self.0 = self.0 << 1 | u64::from(is_object);
        has_room
    }

    fn close(&mut self) {
        self.0 >>= 1;
    }

    fn any(&self) -> bool {
        self.0 != 1
    }

    fn in_object(&self) -> bool {
        self.0 & 1 == 1
    }
}

/// A stack of up to [`MAX_DEPTH`] brackets.
struct Deep {
    /// One bit for each bracket. The bit is set for objects.
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Brackets for Deep {
    fn open(&mut self, is_object: bool) -> bool {
        if self.depth == MAX_DEPTH {
            return false;
        }
        let (word, bit) = (&mut self.objects[self.depth / 64], 1 << (self.depth % 64));
        *word = *word & !bit | if is_object { bit } else { 0 };
        self.depth += 1;
        true
    }

    fn close(&mut self) {
        self.depth -= 1;
    }

    fn any(&self) -> bool {
        self.depth > 0
    }

    fn in_object(&self) -> bool {
        let last = self.depth - 1;
        self.objects[last / 64] >> (last % 64) & 1 == 1
    }
}

fn skip_within(bytes: &[u8], mut at: usize, mut brackets: impl Brackets) -> Result<usize, Fault> {
    'values: loop {
        match bytes.get(at) {
            Some(open @ (b'{' | b'[')) => {
                let is_object = *open == b'{';
                if !brackets.open(is_object) {
                    return Err(Fault::TooDeep(at));
                }
                at = rare_blank(bytes, at + 1);
                if bytes.get(at) != Some(&if is_object { b'}' } else { b']' }) {
                    if is_object {
                        at = key(bytes, at)?;
                    }
                    continue 'values;
                }
                brackets.close();
                at += 1;
            }
            _ => at = skip_scalar(bytes, at)?,
        }
        while brackets.any() {
            // the usual notation, without white space
            if bytes.get(at..at + 2) == Some(b",\"") && brackets.in_object() {
                at = open_key(bytes, at + 2)?;
                continue 'values;
            }
            at = rare_blank(bytes, at);
            match bytes.get(at) {
                Some(b',') => {
                    at = rare_blank(bytes, at + 1);
                    if brackets.in_object() {
                        at = key(bytes, at)?;
                    }
                    continue 'values;
                }
                Some(b'}') if brackets.in_object() => brackets.close(),
                Some(b']') if !brackets.in_object() => brackets.close(),
                _ => return Err(Fault::NoJson(at)),
            }
            at += 1;
        }
        return Ok(at);
    }
}
