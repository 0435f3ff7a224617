//! Attempts that are reported in several sources.

use super::sums;

#[test]
fn event_that_requests_and_events_report_counts_once() {
    for (beacons, expected) in [
        // The events arrive in a batch after the requests.
        ("r0s r1p r4p 5s 5p r6p 9p", [1, 1, 0, 0, 0]),
        ("r0p r4p 5s 5p", [1, 1, 0, 0, 0]),
        ("r0s 1s r2p 3p r4p", [1, 1, 0, 0, 0]),
        ("0s r1s r2p 3p", [1, 1, 0, 0, 0]),
        // A request reports playback, which does not count, before the events repeat the start.
        ("0s r1p 2s 3p", [1, 1, 0, 0, 0]),
        ("0s r1p 2s r3p 4s r5p 6p", [1, 1, 0, 0, 0]),
        ("r0p 1s r2p 3s 4p", [1, 1, 0, 0, 0]),
        // A request reports playback before an event does.
        ("r0p 1p", [1, 1, 0, 0, 0]),
        ("0a r1p", [0, 0, 0, 0, 0]),
        // The next title is reported by an event before a request, or by a request before an event.
        ("r0s r1p 2s 2p r5s r6p 7s 7p r8p", [2, 2, 0, 0, 0]),
        ("r0s r1p 2s 2p 5s r5s 6p r6p", [2, 2, 0, 0, 0]),
        // A request and an event report the same failure.
        ("r0s r1f 2f", [1, 0, 1, 0, 0]),
        ("0s r1f 2f", [1, 0, 1, 0, 0]),
        ("0s 1p r2f 3f r4f", [1, 1, 0, 1, 0]),
        // The player sends no further events, but continues to send requests.
        ("0s 1p r10p r20p r30p", [1, 1, 0, 0, 0]),
    ] {
        assert_eq!(sums(beacons), expected, "{beacons}");
    }
}

#[test]
fn attempt_that_begins_in_one_source_may_continue_in_another() {
    for (beacons, expected) in [
        ("j0s 1p 9p", [1, 1, 0, 0, 0]),
        ("j0s r1p 9p", [1, 1, 0, 0, 0]),
        ("0s r1p r9p", [1, 1, 0, 0, 0]),
        ("0a 1s r2p", [1, 1, 0, 0, 0]),
        // The first frame follows in the source of the start too.
        ("j0s 1p j2p 3p", [1, 1, 0, 0, 0]),
        ("j0s 1s 2p j3p 4p", [1, 1, 0, 0, 0]),
        ("j0s 1s r1s r2p 3p j4p", [1, 1, 0, 0, 0]),
        // The attempt fails before or after its first frame.
        ("j0s 1f", [1, 0, 1, 0, 0]),
        ("0s r1f", [1, 0, 1, 0, 0]),
        ("0s r1f 2f r3f", [1, 0, 1, 0, 0]),
        ("j1f 2f", [1, 0, 1, 0, 0]),
        ("0s r1p r2f", [1, 1, 0, 1, 0]),
        ("0s r1p 2f", [1, 1, 0, 1, 0]),
        ("0s r1p 2f 3p", [1, 1, 0, 0, 0]),
        // The player recovers. The first frame is known from requests before it is known from events.
        ("0s 1f r2p 3p", [1, 1, 0, 0, 0]),
        // The viewer ends the session before the first frame.
        ("j0s 1q", [1, 0, 0, 0, 1]),
        ("0s r1q 2q", [1, 0, 0, 0, 1]),
        ("0s 1q r9q r11q", [1, 0, 0, 0, 1]),
        ("0s r1s r9q 11q", [1, 0, 0, 0, 1]),
        ("0s r1p 2q", [1, 1, 0, 0, 0]),
        ("0s r1q r2p", [1, 1, 0, 0, 0]),
        // The next title is reported in one source only.
        ("j0s 1s 2p 5s 6p", [2, 2, 0, 0, 0]),
        ("j0s 1p 5s 6f", [2, 1, 1, 0, 0]),
    ] {
        assert_eq!(sums(beacons), expected, "{beacons}");
    }
}
