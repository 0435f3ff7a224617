//! Finds the new errors among the error codes that players repeat.

use crate::sessions::session::{Assertion, Now};

/// The maximum number of codes that are remembered for one session. If a session reports more codes, the oldest ones
/// are forgotten.
const MOST: usize = 32;

/// The error codes that a session reports in CMCD. For each mode (event or request) and each endpoint, these are the
/// codes of the last record. The latest codes are at the end. A repeated code is not a new error.
#[derive(Debug, Default)]
pub(crate) struct Codes(Vec<ReportedCode>);

#[derive(Clone, Copy, Debug)]
struct ReportedCode {
    is_event: bool,
    endpoint: u32,
    code: u32,
    assertion: Assertion,
}

impl Codes {
    /// Records the codes of a beacon, which may have none. Passes each code that is a new error to `each_new`.
    pub(crate) fn observe(
        &mut self,
        is_event: bool,
        endpoint: u32,
        codes: impl IntoIterator<Item = u32>,
        now: &Now,
        mut each_new: impl FnMut(u32),
    ) {
        let mut codes = codes.into_iter().peekable();
        if self.0.is_empty() && codes.peek().is_none() {
            return;
        }
        let is_ours = |known: &ReportedCode| known.is_event == is_event && known.endpoint == endpoint;
        let before: Vec<_> = self.0.extract_if(.., |known| is_ours(known)).collect();
        let first = self.0.len();
        for code in codes {
            if self.0[first..].iter().any(|known| known.code == code) {
                continue;
            }
            let known = before.iter().find(|known| known.code == code).copied();
            let is_new = !known.is_some_and(|known| known.assertion.is_valid(now));
            #[cfg(feature = "seeded-bugs")]
            if crate::seeded_bugs::is_set(crate::seeded_bugs::SeededBug::RepeatedCodeForgotten)
                && let Some(known) = known.filter(|_| !is_new)
            {
                self.0.push(known);
                continue;
            }
            let assertion = Assertion::at(now.record);
            let assertion = known.map_or(assertion, |known| known.assertion.or_later(assertion));
            self.0.push(ReportedCode { is_event, endpoint, code, assertion });
            if is_new {
                each_new(code);
            }
        }
        self.0.drain(..self.0.len().saturating_sub(MOST));
    }
}

#[cfg(test)]
mod tests {
    use crowdfold_model::{Span, Timestamp};

    use super::Codes;
    use crate::sessions::session::Now;

    const fn now(record: u64) -> Now {
        Now {
            record: Timestamp::from_millis(record),
            idle: Span::from_millis(100),
            horizon: Timestamp::EPOCH,
        }
    }

    /// Records codes, and returns the codes that are new errors.
    fn observe(codes: &mut Codes, is_event: bool, endpoint: u32, reported: &[u32], record: u64) -> Vec<u32> {
        let mut new = Vec::new();
        codes.observe(is_event, endpoint, reported.iter().copied(), &now(record), |code| new.push(code));
        new
    }

    #[test]
    fn code_is_a_new_error_when_it_appears_or_changes() {
        let mut codes = Codes::default();
        let news = [&[1][..], &[1], &[], &[1], &[2], &[2], &[1]]
            .map(|reported| !observe(&mut codes, true, 7, reported, 1).is_empty());
        assert_eq!(news, [true, false, false, true, true, false, true]);
    }

    #[test]
    fn each_code_of_a_list_is_a_new_error_when_it_appears() {
        let mut codes = Codes::default();
        let news = [&[1][..], &[1, 2], &[2, 1], &[2], &[3, 3, 2], &[1, 2, 3], &[], &[2, 1]]
            .map(|reported| observe(&mut codes, true, 7, reported, 1));
        assert_eq!(news, [&[1][..], &[2], &[], &[], &[3], &[1], &[], &[2, 1]]);
    }

    #[test]
    fn code_of_another_mode_or_endpoint_is_another_error() {
        let mut codes = Codes::default();
        assert_eq!(observe(&mut codes, true, 7, &[1], 1), [1]);
        assert_eq!(observe(&mut codes, false, 7, &[1], 1), [1]);
        assert_eq!(observe(&mut codes, true, 8, &[1], 1), [1]);
        assert_eq!(observe(&mut codes, true, 9, &[], 1), [0; 0]);
        assert_eq!(
            observe(&mut codes, true, 7, &[1], 1),
            [0; 0],
            "a record without the code at another endpoint has no effect"
        );
    }

    #[test]
    fn code_is_a_new_error_again_after_the_idle_timeout_without_a_repetition() {
        let mut codes = Codes::default();
        let news = [0, 100, 200, 301].map(|at| !observe(&mut codes, true, 7, &[1], at).is_empty());
        assert_eq!(news, [true, false, false, true]);
    }

    #[test]
    fn number_of_remembered_codes_is_bounded() {
        let mut codes = Codes::default();
        for endpoint in 0..1_000 {
            assert_eq!(observe(&mut codes, true, endpoint, &[1, 2], 1), [1, 2]);
        }
        assert_eq!(codes.0.len(), super::MOST);
        assert_eq!(observe(&mut codes, true, 999, &[1, 2], 1), [0; 0]);
    }
}
