//! The values of a session, such as its bitrate.

use super::*;

/// Returns the value of a metric in the window that starts `start` ms after [`BEGIN`], if the session has one.
fn value(rig: &mut Rig, metric: ValueMetric, start: u64) -> Option<u32> {
    let values = rig.cell(start).values[metric].values().to_vec();
    assert!(values.len() <= 1, "{values:?}");
    values.first().map(|(value, _)| *value)
}

#[test]
fn bitrate_of_an_event_applies_to_the_time_after_it() {
    let switched = ["e=ps,sta=p,ts=0,br=(1000;v)", "e=bc,sta=p,ts=10000,br=(4000;v)"];
    for last in ["e=t,sta=p,ts=50000,br=(4000;v)", "e=t,sta=p,ts=50000", "e=ps,sta=a,ts=50000,br=(500;v)"] {
        let mut rig = Rig::new();
        rig.events(0, &switched[..1]).events(10_000, &switched[1..]).events(50_000, &[last]);
        assert_eq!(value(&mut rig, ValueMetric::BitrateKbps, 0), Some(3_400), "{last}");
        let mut rig = Rig::new();
        rig.events(50_000, &[switched[0], switched[1], last]);
        assert_eq!(value(&mut rig, ValueMetric::BitrateKbps, 0), Some(3_400), "batch with {last}");
    }
}

#[test]
fn bitrate_of_an_earlier_window_is_used_until_it_expires() {
    let mut rig = Rig::new();
    rig.events(40_000, &["e=ps,sta=p,ts=40000,br=(1000;v)"])
        .events(70_000, &["e=t,sta=p,ts=70000"])
        .events(130_000, &["e=t,sta=p,ts=130000"])
        .events(190_000, &["e=t,sta=p,ts=190000"]);
    for (start, expected) in
        [(0, Some(1_000)), (60_000, Some(1_000)), (120_000, Some(1_000)), (180_000, None)]
    {
        assert_eq!(value(&mut rig, ValueMetric::BitrateKbps, start), expected, "{start}");
    }
}

#[test]
fn bitrate_of_a_session_that_does_not_play_is_the_mean_of_its_reports() {
    let mut rig = Rig::new();
    rig.events(9_000, &["e=ps,sta=s,ts=0,br=(1000;v)", "e=bc,sta=s,ts=8000,br=(4000;v)"]);
    assert_eq!(value(&mut rig, ValueMetric::BitrateKbps, 0), Some(2_500));
}

#[test]
fn startup_time_that_is_repeated_long_after_the_first_frame_does_not_count_again() {
    for event in [true, false] {
        let mut rig = Rig::new();
        let mut report = |at: u64, more: &str| {
            if event {
                rig.events(at, &[&format!("e=t,sta=p{more},ts={at}")]);
            } else {
                rig.request(at, &format!("ot=v,sta=p{more}"));
            }
        };
        report(0, ",msd=800");
        (1..16).for_each(|number| report(number * 30_000, ""));
        report(461_000, ",msd=800");
        let counted = (0..8).map(|minute| value(&mut rig, ValueMetric::StartupMs, minute * 60_000));
        assert_eq!(counted.collect::<Vec<_>>(), [&[Some(800)][..], &[None; 7]].concat(), "event: {event}");
    }
}

#[test]
fn startup_time_soon_after_the_first_frame_counts() {
    let mut rig = Rig::new();
    rig.events(0, &["e=ps,sta=p,ts=0"]).events(30_000, &["e=t,sta=p,ts=30000,msd=800"]);
    assert_eq!(value(&mut rig, ValueMetric::StartupMs, 0), Some(800));
    // Requests may be logged in another order.
    let mut rig = Rig::new();
    rig.request(900, "ot=a,sta=p").request(950, "ot=v,sta=p,msd=800");
    assert_eq!(value(&mut rig, ValueMetric::StartupMs, 0), Some(800));
}
