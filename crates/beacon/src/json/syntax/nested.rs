//! Objects and arrays, skipped without recursion.

use super::{Position, blank, key, skip_scalar};

/// The largest depth of brackets in a value that nobody uses.
pub(super) const MAX_DEPTH: usize = 1_024;

/// Skips the object or array that begins at `at`, without recursion. Few are nested so deep that it takes two tries.
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

/// Why brackets are not skipped, and where that shows.
enum Fault {
    TooDeep(usize),
    NoJson(usize),
}

impl From<usize> for Fault {
    fn from(at: usize) -> Self {
        Self::NoJson(at)
    }
}

/// The brackets that are open.
trait Brackets {
    /// Adds one; `false` where there is no room.
    fn open(&mut self, is_object: bool) -> bool;
    fn close(&mut self);
    fn any(&self) -> bool;
    /// Returns true if the innermost one belongs to an object.
    fn in_object(&self) -> bool;
}

/// Up to 63 brackets, one bit each, below a bit that marks the outermost.
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

/// Up to [`MAX_DEPTH`] brackets.
struct Deep {
    /// One bit for each: set for those of objects.
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
                at = blank(bytes, at + 1);
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
            at = blank(bytes, at);
            match bytes.get(at) {
                Some(b',') => {
                    at = blank(bytes, at + 1);
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
