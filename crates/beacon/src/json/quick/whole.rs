//! Reads whole numbers. The reader processes eight digits at a time.

/// Reads a whole number of at most 15 digits. Returns the number and the position after it, or `None` for any other
/// notation.
#[inline(always)]
pub(super) fn whole(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let rest = bytes.get(at..)?;
    let Some((block, after)) = rest.split_first_chunk::<8>() else {
        return short(rest).map(|(value, length)| (value, at + length));
    };
    let text = u64::from_le_bytes(*block);
    let length = digits(text);
    if length == 0 {
        return None;
    }
    let value = number(text, length);
    if length < 8 {
        return is_whole(block[0], block[length], length).then_some((value, at + length));
    }
    let (rest, more) = match after.first_chunk::<8>() {
        Some(block) => {
            let text = u64::from_le_bytes(*block);
            match digits(text) {
                0 => (0, 0),
                more => (number(text, more), more),
            }
        }
        None => digits_before_end(after),
    };
    let value = value * POWERS.get(more)? + rest;
    is_whole(block[0], *after.get(more)?, 8 + more).then_some((value, at + 8 + more))
}

/// Reads a whole number within the last seven bytes of a record. Returns the number and its length.
fn short(rest: &[u8]) -> Option<(u64, usize)> {
    let (value, length) = digits_before_end(rest);
    is_whole(*rest.first()?, *rest.get(length)?, length).then_some((value, length))
}

/// Reads the digits at the start of fewer than eight bytes. Returns the number and its length.
fn digits_before_end(rest: &[u8]) -> (u64, usize) {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold((0, 0), |(value, count), digit| (value * 10 + u64::from(digit - b'0'), count + 1))
}

/// Returns true if the digits are a whole number in JSON. The number must not begin with a superfluous 0, and the byte
/// after it must end the value.
#[inline(always)]
const fn is_whole(first: u8, after: u8, length: usize) -> bool {
    let is_padded = first == b'0' && length > 1;
    length > 0 && !is_padded && matches!(after, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r')
}

/// The powers of ten.
const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Returns the number of digits at the start of the eight bytes in `text`.
#[inline(always)]
const fn digits(text: u64) -> usize {
    // The XOR maps a digit to 0 to 9. Adding 0x76 then sets the highest bit of every byte above 9. A carry affects only
    // the bytes after such a byte.
    let values = text ^ 0x3030_3030_3030_3030;
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    others.trailing_zeros() as usize / 8
}

/// Returns the value of the first `length` digits in `text`. `length` is 1 to 8.
#[inline(always)]
const fn number(text: u64, length: usize) -> u64 {
    // The digits are moved to the end. Then neighbours are joined in three steps: to numbers of two, four and eight
    // digits.
    let digits = text << (64 - 8 * length) & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = digits.wrapping_mul(2_561) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(6_553_601) >> 16 & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(42_949_672_960_001) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whole_number_equals_its_digits(value in any::<u64>(), shift in 0_u32..64, after in "[,} \n.x]", rest in "[0-9,]{0,20}") {
            let value = value >> shift;
            let text = format!("{value}{after}{rest}");
            let ends = [',', '}', ' ', '\n'].iter().any(|end| after.starts_with(*end));
            let length = value.to_string().len();
            let expected = (ends && length <= 15).then_some((value, length));
            prop_assert_eq!(whole(text.as_bytes(), 0), expected);
            prop_assert_eq!(whole(format!("{text}                 ").as_bytes(), 0), expected);
        }

        #[test]
        fn text_that_is_not_a_whole_number_is_refused(text in "[0-9a,. -]{0,20}", padding in 0_usize..20) {
            let padded = text.clone() + &" ".repeat(padding);
            let length = text.bytes().take_while(u8::is_ascii_digit).count();
            let is_whole = (1..=15).contains(&length)
                && (length == 1 || !text.starts_with('0'))
                && padded.as_bytes().get(length).is_some_and(|after| b", ".contains(after));
            let expected = is_whole.then(|| (text[..length].parse().unwrap(), length));
            prop_assert_eq!(whole(padded.as_bytes(), 0), expected);
        }
    }
}
