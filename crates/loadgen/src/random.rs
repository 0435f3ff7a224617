//! Random numbers that depend only on the seed. Every machine and every version gives the same numbers.

/// A SplitMix64 generator (Steele, Lea, Flood 2014). Its state has only eight bytes, so every session can have its own
/// generator.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Creates a generator whose numbers depend on a seed and on the two numbers in `path`.
    pub(crate) fn new(seed: u64, path: [u64; 2]) -> Self {
        let mut random = Self(seed);
        for step in path {
            random.0 = random.bits() ^ step.wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
        random
    }

    /// Creates another generator from the state of this generator. The numbers that this generator will return do not
    /// change. Generators with different numbers are independent.
    pub(crate) fn apart(&self, number: u64) -> Self {
        Self::new(self.0, [u64::MAX, number])
    }

    /// Returns 64 random bits.
    pub(crate) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 to `bound - 1`, or 0 if `bound` is 0.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        // The number is scaled by a multiplication and a shift. For the small bounds in use, the bias is below one in
        // 2^32.
        ((self.bits() as u128 * bound as u128) >> 64) as u64
    }

    /// Returns a number from `low` to `high`, both included.
    pub(crate) const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Returns true with a probability of `part` in `of`.
    pub(crate) const fn chance(&mut self, part: u64, of: u64) -> bool {
        self.below(of) < part
    }

    /// Returns one of the items, with a probability in proportion to its weight.
    pub(crate) fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> u64) -> &'a T {
        let mut left = self.below(items.iter().map(&weight).sum());
        for item in items {
            let weight = weight(item);
            if left < weight {
                return item;
            }
            left -= weight;
        }
        &items[0]
    }
}
