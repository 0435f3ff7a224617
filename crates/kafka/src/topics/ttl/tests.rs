use super::*;

const SECOND: Span = Span::SECOND;
const MINUTE: Span = Span::MINUTE;
const HOUR: Span = Span::HOUR;
const NONE: Span = Span::ZERO;

#[test]
fn ttl_of_an_hour_with_the_default_check_interval_allows_44_minutes_of_retention() {
    assert_eq!(settings(HOUR, MINUTE * 5, NONE), Some((MINUTE * 44, MINUTE * 11)));
}

#[test]
fn settings_for_a_ttl_keep_records_for_the_ttl_or_up_to_5_ms_less() {
    const TOLERANCE: Span = Span::from_millis(5);
    for ttl in (10_000..3_456_000_000).step_by(7_919_123).map(Span::from_millis) {
        for (check, ahead) in [(NONE, NONE), (SECOND * 2, NONE), (MINUTE * 5, NONE), (MINUTE * 5, MINUTE)] {
            let Some((retention, segment)) = settings(ttl, check, ahead) else {
                assert!(ttl < check + ahead + TOLERANCE);
                continue;
            };
            let bounds = Times { retention, segment, check, delete_delay: MINUTE, ahead }.bounds();
            assert!(bounds.readable <= ttl && ttl - bounds.readable <= TOLERANCE, "{ttl} {bounds:?}");
            assert_eq!(bounds.on_disk, bounds.readable + MINUTE);
        }
    }
}

#[test]
fn no_settings_meet_a_ttl_of_at_most_the_check_interval_plus_the_permitted_lead() {
    assert_eq!(settings(MINUTE * 5, MINUTE * 5, NONE), None);
    assert_eq!(settings(MINUTE, MINUTE * 5, NONE), None);
    assert_eq!(settings(HOUR, MINUTE * 5, HOUR), None);
}

/// Measured on Kafka 4.3.1 with the settings below: records became unreadable after 10.3 to 16.9 s, and left the disk
/// after at most 18 s.
#[test]
fn bounds_are_at_least_the_times_measured_on_kafka_4_3() {
    let times = Times {
        retention: SECOND * 10,
        segment: SECOND * 5,
        check: SECOND * 2,
        delete_delay: SECOND,
        ahead: NONE,
    };
    assert_eq!(times.bounds(), Bounds { readable: SECOND * 17, on_disk: SECOND * 18 });
    // on Kafka 4.3.1, a record with a timestamp 30 s in the future kept its segment for 45 s
    assert_eq!(Times { ahead: SECOND * 30, ..times }.bounds().readable, SECOND * 47);
}

#[test]
fn unlimited_retention_gives_unlimited_bounds() {
    let times =
        Times { retention: Span::MAX, segment: HOUR, check: SECOND, delete_delay: SECOND, ahead: NONE };
    assert_eq!(times.bounds(), Bounds { readable: Span::MAX, on_disk: Span::MAX });
}
