//! Computes the linear span of vectors over a prime field.

/// The prime 2^61 − 1. A vector that is a combination of others over the integers is also a combination modulo any
/// prime. With a large prime, it is very unlikely that a vector is a combination only modulo this prime.
const PRIME: u64 = (1 << 61) - 1;

const fn times(a: u64, b: u64) -> u64 {
    (a as u128 * b as u128 % PRIME as u128) as u64
}

const fn minus(a: u64, b: u64) -> u64 {
    (a + PRIME - b) % PRIME
}

/// Returns the multiplicative inverse: by Fermat's theorem, it is a to the power of p − 2.
const fn inverse(a: u64) -> u64 {
    let (mut result, mut base, mut power) = (1, a, PRIME - 2);
    while power > 0 {
        if power & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        power >>= 1;
    }
    result
}

/// A basis of the span in echelon form. Each vector is stored with its pivot. The vector is 1 at its pivot, and 0
/// before it.
#[derive(Default)]
pub(super) struct Span(Vec<(usize, Vec<u64>)>);

impl Span {
    /// Adds the vector that is 1 at these points and 0 elsewhere.
    pub(super) fn add(&mut self, points: &[bool]) {
        let mut rest = self.reduced(points);
        let Some(pivot) = rest.iter().position(|at| *at != 0) else { return };
        let factor = inverse(rest[pivot]);
        rest.iter_mut().for_each(|at| *at = times(*at, factor));
        let at = self.0.partition_point(|(other, _)| *other < pivot);
        self.0.insert(at, (pivot, rest));
    }

    /// Returns true if the vector that is 1 at these points and 0 elsewhere is a combination of the added vectors.
    pub(super) fn holds(&self, points: &[bool]) -> bool {
        self.reduced(points).iter().all(|at| *at == 0)
    }

    fn reduced(&self, points: &[bool]) -> Vec<u64> {
        let mut rest: Vec<u64> = points.iter().map(|at| u64::from(*at)).collect();
        // The pivots are in ascending order, so subtracting a later vector does not change the value at an earlier
        // pivot.
        for (pivot, function) in &self.0 {
            let factor = rest[*pivot];
            if factor != 0 {
                rest.iter_mut().zip(function).for_each(|(at, of)| *at = minus(*at, times(factor, *of)));
            }
        }
        rest
    }
}

#[test]
fn span_contains_exactly_the_combinations_of_the_added_vectors() {
    let points = |text: &str| text.bytes().map(|byte| byte == b'1').collect::<Vec<_>>();
    let mut span = Span::default();
    for row in ["1100", "0110", "1111"] {
        assert!(!span.holds(&points(row)));
        span.add(&points(row));
        assert!(span.holds(&points(row)));
    }
    assert!(span.holds(&points("0011")) && span.holds(&points("1001")) && span.holds(&points("0000")));
    assert!(!span.holds(&points("1000")) && !span.holds(&points("0101")));
    span.add(&points("1000"));
    assert!(span.holds(&points("0100")) && span.holds(&points("0001")), "the span contains every vector");
}
