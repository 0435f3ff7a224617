//! Error codes that players repeat.

use crate::session::{Now, Said};

/// Ways and endpoints of a session that are remembered; a session that uses more forgets the ones it used first.
const MOST: usize = 16;

/// The error codes that a session states by CMCD: one for each way and endpoint whose last record has a code, the one
/// stated last at the end. A code that is stated again is no new error.
#[derive(Debug, Default)]
pub(crate) struct Codes(Vec<Stated>);

#[derive(Clone, Copy, Debug)]
struct Stated {
    is_event: bool,
    endpoint: u32,
    code: u32,
    said: Said,
}

impl Codes {
    /// Records the code of a beacon, or that it has none, and returns whether it states a new error.
    pub(crate) fn state(&mut self, is_event: bool, endpoint: u32, code: Option<u32>, now: &Now) -> bool {
        let known = self.0.iter().position(|known| known.is_event == is_event && known.endpoint == endpoint);
        let known = known.map(|at| self.0.remove(at));
        let Some(code) = code else { return false };
        let is_new = !known.as_ref().is_some_and(|known| known.code == code && known.said.holds(now));
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Mistake::RepeatedCodeForgotten)
            && let Some(known) = known.filter(|_| !is_new)
        {
            self.0.push(known);
            return false;
        }
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        let said = Said::at(now.record);
        let said = known.filter(|known| known.code == code).map_or(said, |known| known.said.or_later(said));
        self.0.push(Stated { is_event, endpoint, code, said });
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::Codes;
    use crate::session::Now;

    const fn now(record: u64) -> Now {
        Now { record, idle: 100, horizon: 0 }
    }

    #[test]
    fn code_counts_when_it_appears_or_changes() {
        let mut codes = Codes::default();
        let news = [Some(1), Some(1), None, Some(1), Some(2), Some(2), Some(1)]
            .map(|code| codes.state(true, 7, code, &now(1)));
        assert_eq!(news, [true, false, false, true, true, false, true]);
    }

    #[test]
    fn code_of_another_way_or_endpoint_is_another_error() {
        let mut codes = Codes::default();
        assert!(codes.state(true, 7, Some(1), &now(1)));
        assert!(codes.state(false, 7, Some(1), &now(1)));
        assert!(codes.state(true, 8, Some(1), &now(1)));
        assert!(!codes.state(true, 9, None, &now(1)));
        assert!(!codes.state(true, 7, Some(1), &now(1)), "a record without it elsewhere changes nothing");
    }

    #[test]
    fn code_holds_as_long_as_it_is_repeated() {
        let mut codes = Codes::default();
        let news = [0, 100, 200, 301].map(|at| codes.state(true, 7, Some(1), &now(at)));
        assert_eq!(news, [true, false, false, true]);
    }

    #[test]
    fn session_of_many_endpoints_is_bounded() {
        let mut codes = Codes::default();
        for endpoint in 0..1_000 {
            assert!(codes.state(true, endpoint, Some(1), &now(1)));
        }
        assert_eq!(codes.0.len(), super::MOST);
        assert!(!codes.state(true, 999, Some(1), &now(1)));
    }
}
