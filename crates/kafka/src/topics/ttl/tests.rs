use super::*;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

#[test]
fn an_hour_with_the_default_check_gives_44_minutes() {
    assert_eq!(settings(HOUR, 5 * MINUTE, 0), Some((44 * MINUTE, 11 * MINUTE)));
}

#[test]
fn settings_never_exceed_the_ttl_and_use_most_of_it() {
    for ttl in (10 * SECOND..40 * 24 * HOUR).step_by(7_919_123) {
        for (check, ahead) in [(0, 0), (2 * SECOND, 0), (5 * MINUTE, 0), (5 * MINUTE, MINUTE)] {
            let Some((retention, segment)) = settings(ttl, check, ahead) else {
                assert!(ttl < check + ahead + 5);
                continue;
            };
            let bounds = Times { retention, segment, check, delete_delay: MINUTE, ahead }.bounds();
            assert!(bounds.readable <= ttl && ttl - bounds.readable <= 5, "{ttl} {bounds:?}");
            assert_eq!(bounds.on_disk, bounds.readable + MINUTE);
        }
    }
}

#[test]
fn ttl_too_short_for_the_broker_has_no_settings() {
    assert_eq!(settings(5 * MINUTE, 5 * MINUTE, 0), None);
    assert_eq!(settings(MINUTE, 5 * MINUTE, 0), None);
    assert_eq!(settings(HOUR, 5 * MINUTE, HOUR), None);
}

/// The measurements of the design on Kafka 4.3.1: unreadable after 10.3 to 16.9 s, off the disk by 18 s.
#[test]
fn bound_matches_the_measurements() {
    let times = Times { retention: 10_000, segment: 5_000, check: 2_000, delete_delay: 1_000, ahead: 0 };
    assert_eq!(times.bounds(), Bounds { readable: 17_000, on_disk: 18_000 });
    // a record 30 s in the future kept its segment for 45 s
    assert_eq!(Times { ahead: 30_000, ..times }.bounds().readable, 47_000);
}

#[test]
fn unlimited_settings_give_an_unlimited_bound() {
    let times = Times { retention: u64::MAX, segment: HOUR, check: 1, delete_delay: 1, ahead: 0 };
    assert_eq!(times.bounds(), Bounds { readable: u64::MAX, on_disk: u64::MAX });
}
