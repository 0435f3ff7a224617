//! Random numbers that depend only on a seed. Every machine and every version gives the same numbers, so a failed test
//! can be repeated, and two generators with the same seed send the same beacons. The numbers are not secret.
//!
//! ```
//! use crowdfold_random::Random;
//!
//! let mut random = Random::new(7);
//! let numbers = [random.below(6), random.below(6), random.below(6)];
//! assert_eq!(numbers, [2, 0, 5]);
//! ```
#![forbid(unsafe_code)]

/// A SplitMix64 generator (Steele, Lea, Flood 2014). Its state has only eight bytes, so every session can have its own
/// generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Creates a generator whose numbers depend on a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Creates a generator whose numbers depend on a seed and on the two numbers in `path`.
    #[must_use]
    pub fn at(seed: u64, path: [u64; 2]) -> Self {
        let mut random = Self(seed);
        for step in path {
            random.0 = random.bits() ^ step.wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
        random
    }

    /// Creates another generator from the state of this generator. The numbers that this generator will return do not
    /// change. Generators with different numbers are independent.
    #[must_use]
    pub fn apart(&self, number: u64) -> Self {
        Self::at(self.0, [u64::MAX, number])
    }

    /// Returns 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 to `bound - 1`, or 0 if `bound` is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        // The number is scaled by a multiplication and a shift. For the small bounds in use, the bias is below one in
        // 2^32.
        ((self.bits() as u128 * bound as u128) >> 64) as u64
    }

    /// Returns a number from `low` to `high`, both included.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Returns true with a probability of `part` in `of`.
    pub const fn chance(&mut self, part: u64, of: u64) -> bool {
        self.below(of) < part
    }

    /// Returns true with a probability of 1 in `of`.
    pub const fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// Returns a number from 0 to 1, excluding 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns one of the items, each with the same probability.
    ///
    /// # Panics
    /// If there are no items.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    /// Returns one of the items, with a probability in proportion to its weight. Returns the first item if all weights
    /// are 0.
    ///
    /// # Panics
    /// If there are no items.
    pub fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> u64) -> &'a T {
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

#[cfg(test)]
mod tests {
    use super::Random;

    /// The expected numbers are those of the reference implementation in C (Vigna 2015) for the seed 1234567.
    #[test]
    fn bits_equal_those_of_the_reference_implementation() {
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| random.bits()), expected);
    }

    #[test]
    fn numbers_are_below_their_bound_and_reach_it() {
        let mut random = Random::new(1);
        let numbers: Vec<_> = (0..1_000).map(|_| random.below(6)).collect();
        assert!((0..6).all(|number| numbers.contains(&number)) && numbers.iter().all(|number| *number < 6));
        assert_eq!(random.below(0), 0);
        let dice: Vec<_> = (0..1_000).map(|_| random.between(1, 6)).collect();
        assert_eq!((dice.iter().min(), dice.iter().max()), (Some(&1), Some(&6)));
    }

    #[test]
    fn items_are_drawn_in_proportion_to_their_weights() {
        let mut random = Random::new(2);
        let items = [("a", 1), ("b", 0), ("c", 3)];
        let drawn: Vec<_> = (0..4_000).map(|_| random.weighted(&items, |item| item.1).0).collect();
        let count = |name| drawn.iter().filter(|drawn| **drawn == name).count();
        assert!(count("b") == 0 && (900..1_100).contains(&count("a")), "{}", count("a"));
        assert_eq!(random.weighted(&[("a", 0), ("b", 0)], |item| item.1).0, "a");
    }

    #[test]
    fn generators_apart_from_each_other_have_different_numbers() {
        let random = Random::at(7, [1, 2]);
        let first = |mut random: Random| random.bits();
        let firsts = [first(random.clone()), first(random.apart(0)), first(random.apart(1))];
        assert!(firsts[0] != firsts[1] && firsts[1] != firsts[2] && firsts[0] != firsts[2]);
        assert_eq!(first(Random::at(7, [1, 2])), firsts[0]);
    }
}
