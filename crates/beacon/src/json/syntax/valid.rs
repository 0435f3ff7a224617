//! Finds the ends of values that were validated before. Only quotes, backslashes and brackets are searched, in blocks of
//! 64 bytes.

use wide::u8x16;

use super::string_end;

const BLOCK: usize = 64;

/// Returns the position after the value that begins at `at`. The value must be valid JSON, as [`super::skip`] defines
/// it. For any other value, the result may be wrong.
pub(crate) fn skip_valid(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at) {
        Some(b'{' | b'[') => end_of_brackets(bytes, at),
        _ => skip_valid_scalar(bytes, at),
    }
}

/// Works like [`skip_valid`] for a string, a number or a literal.
#[inline(always)]
pub(crate) fn skip_valid_scalar(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at)? == &b'"' {
        return string_end(bytes, at + 1).ok().map(|end| end + 1);
    }
    let mut end = at + 1;
    while !matches!(bytes.get(end), None | Some(b',' | b'}' | b']' | ..=b' ')) {
        end += 1;
    }
    Some(end)
}

/// Returns the position after the object or array that begins at `at`.
fn end_of_brackets(bytes: &[u8], at: usize) -> Option<usize> {
    let mut state = State { depth: 0, in_string: 0, escaped: 0 };
    let rest = bytes.get(at..).unwrap_or_default();
    let (blocks, tail) = rest.as_chunks::<BLOCK>();
    for (nth, block) in blocks.iter().enumerate() {
        if let Some(last) = state.last_bracket(block) {
            return Some(at + nth * BLOCK + last + 1);
        }
    }
    let mut block = [b' '; BLOCK];
    block[..tail.len()].copy_from_slice(tail);
    state.last_bracket(&block).map(|last| at + blocks.len() * BLOCK + last + 1)
}

/// The state between two blocks.
struct State {
    /// The number of open brackets.
    depth: u32,
    /// All bits are set if the next block begins inside a string.
    in_string: u64,
    /// The lowest bit is set if the first byte of the next block is escaped.
    escaped: u64,
}

impl State {
    /// Returns the index of the bracket that closes the outermost bracket, or `None` if the block does not contain it.
    #[inline(always)]
    fn last_bracket(&mut self, block: &[u8; BLOCK]) -> Option<usize> {
        let found = Found::new(block);
        let quotes = found.quotes & !self.escaped_bytes(found.backslashes);
        // Each bit becomes the parity of the quotes up to this bit, so the bits of strings are set.
        let mut strings = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            strings ^= strings << shift;
        }
        strings ^= self.in_string;
        self.in_string = if strings >> (BLOCK - 1) == 1 { u64::MAX } else { 0 };
        let (opening, closing) = (found.opening & !strings, found.closing & !strings);
        if closing == 0 {
            self.depth += opening.count_ones();
            return None;
        }
        let closed = closing.count_ones();
        if self.depth > closed {
            self.depth = self.depth + opening.count_ones() - closed;
            return None;
        }
        let mut brackets = opening | closing;
        while brackets != 0 {
            let at = brackets.trailing_zeros();
            brackets &= brackets - 1;
            if opening >> at & 1 == 1 {
                self.depth += 1;
                continue;
            }
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0 {
                return Some(at as usize);
            }
        }
        None
    }

    /// Returns the bytes of a block that follow a backslash which is not itself escaped.
    #[inline(always)]
    const fn escaped_bytes(&mut self, backslashes: u64) -> u64 {
        let mut escaped = self.escaped;
        self.escaped = 0;
        let mut left = backslashes & !escaped;
        while left != 0 {
            let backslash = left & left.wrapping_neg();
            self.escaped = backslash >> (BLOCK - 1);
            escaped |= backslash << 1;
            left &= !(backslash | backslash << 1);
        }
        escaped
    }
}

/// The positions of the relevant bytes in a block, with one bit for each byte.
struct Found {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
}

impl Found {
    #[inline(always)]
    fn new(block: &[u8; BLOCK]) -> Self {
        let mut found = Self { quotes: 0, backslashes: 0, opening: 0, closing: 0 };
        for (nth, part) in block.as_chunks::<16>().0.iter().enumerate() {
            let part = u8x16::new(*part);
            let bits = |equal: u8x16| u64::from(equal.to_bitmask()) << (16 * nth);
            found.quotes |= bits(part.simd_eq(u8x16::splat(b'"')));
            found.backslashes |= bits(part.simd_eq(u8x16::splat(b'\\')));
            // This bit is the only difference between a bracket and the brace of the same direction.
            let brackets = part | u8x16::splat(0x20);
            found.opening |= bits(brackets.simd_eq(u8x16::splat(b'{')));
            found.closing |= bits(brackets.simd_eq(u8x16::splat(b'}')));
        }
        found
    }
}
