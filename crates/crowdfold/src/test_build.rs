//! Detects builds with fault points or seeded bugs. They are for tests, and must never run in production.

use std::ffi::{OsStr, OsString};

/// The environment variable that must be `1`, so that a build for tests runs.
const VARIABLE: &str = "CROWDFOLD_TEST";

/// The version that `--version` prints. A build for tests also prints the names of its features.
pub(crate) const VERSION: &str =
    match (crowdfold_kafka::fault::COMPILED_IN, crowdfold_engine::HAS_SEEDED_BUGS) {
        (false, false) => env!("CARGO_PKG_VERSION"),
        (true, false) => concat!(env!("CARGO_PKG_VERSION"), " (test build with fault points)"),
        (false, true) => concat!(env!("CARGO_PKG_VERSION"), " (test build with seeded bugs)"),
        (true, true) => concat!(env!("CARGO_PKG_VERSION"), " (test build with fault points and seeded bugs)"),
    };

/// Returns the message with which this binary refuses to start. Returns `None` if it was not built for tests, or if the
/// environment allows it to run.
pub(crate) fn refusal(environment: &[(OsString, OsString)]) -> Option<String> {
    let is_allowed = environment.iter().any(|(name, value)| name == VARIABLE && value == OsStr::new("1"));
    refuse(VERSION, is_allowed)
}

fn refuse(version: &str, is_allowed: bool) -> Option<String> {
    let (_, features) = version.split_once(" (test build with ")?;
    let features = features.trim_end_matches(')');
    (!is_allowed).then(|| {
        format!(
            "this binary was built for tests, with {features}; build it without these features, or set {VARIABLE}=1 to \
             run it in a test"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_for_tests_is_refused_unless_the_variable_is_set() {
        assert_eq!(refuse("0.1.0", false), None);
        let refused = refuse("0.1.0 (test build with seeded bugs)", false).unwrap();
        assert_eq!(
            refused,
            "this binary was built for tests, with seeded bugs; build it without these features, or set \
             CROWDFOLD_TEST=1 to run it in a test"
        );
        assert!(refuse("0.1.0 (test build with fault points and seeded bugs)", false).is_some());
        assert_eq!(refuse("0.1.0 (test build with seeded bugs)", true), None);
    }

    #[test]
    fn this_build_is_refused_only_if_its_version_names_a_feature() {
        let is_for_tests = crowdfold_kafka::fault::COMPILED_IN || crowdfold_engine::HAS_SEEDED_BUGS;
        let variable = |value: &str| vec![(OsString::from(VARIABLE), OsString::from(value))];
        assert_eq!(VERSION.contains("test build"), is_for_tests);
        assert_eq!(refusal(&[]).is_some(), is_for_tests);
        assert_eq!(refusal(&variable("0")).is_some(), is_for_tests);
        assert_eq!(refusal(&variable("1")), None);
    }
}
