//! Tests of sessions that report in requests and in events.

use super::*;

#[test]
fn stall_in_states_and_in_totals_counts_once() {
    let mut rig = Rig::new();
    rig.events(100, &["e=ps,sn=0,sta=p,ts=0,bsa=(0),bsda=(0)"]).events(
        9_000,
        &[
            "e=ps,sn=1,sta=r,ts=5000,bsa=(1)",
            "e=ps,sn=2,sta=p,ts=7000,bsa=(1),bsda=(2000)",
            "e=t,sn=3,ts=8900,bsa=(2),bsda=(3000)",
        ],
    );
    assert_eq!(amounts(&rig.cell(0)), (5_000, 2_000, 1, 1, 1, None));
}

#[test]
fn states_of_requests_count_until_events_report_states() {
    let mut rig = Rig::new();
    // This is a large batch of events. The requests have already counted its first 8 s.
    rig.request(0, "sn=0,sta=s")
        .request(500, "sn=1,sta=p")
        .request(4_500, "sn=2,sta=p")
        .request(8_500, "sn=3,sta=p")
        .events(
            9_000,
            &[
                "e=ps,sn=0,sta=s,ts=0",
                "e=ps,sn=1,sta=p,ts=400",
                "e=t,sn=2,sta=p,ts=5000",
                "e=t,sn=3,sta=p,ts=8900",
            ],
        )
        .request(12_500, "sn=4,sta=p")
        .events(15_000, &["e=ps,sn=4,sta=r,ts=12000", "e=ps,sn=5,sta=p,ts=13000", "e=t,sn=6,sta=p,ts=14900"]);
    let cell = rig.cell(0);
    // The requests add 8 s, and the events add 0.4 s, 3.1 s and 1.9 s. No request reports the stall.
    assert_eq!(amounts(&cell), (13_400, 1_000, 1, 1, 1, Some(400)));
}

#[test]
fn request_extends_the_state_of_the_last_event() {
    // By default, players send each event immediately, and the event `t` every 30 s. The clock of this player is 5 s
    // slow.
    let mut rig = Rig::new();
    rig.events(5_000, &["e=ps,sn=0,sta=s,ts=0"])
        .events(5_800, &["e=ps,sn=1,sta=p,ts=800"])
        .request(9_800, "sn=0,sta=p")
        .request(14_800, "sn=1,sta=p")
        // No request reports the stall, so the time of the stall is not counted twice.
        .events(15_050, &["e=ps,sn=2,sta=r,ts=10000"])
        .request(16_000, "sn=2,sta=r")
        .events(17_050, &["e=ps,sn=3,sta=p,ts=12000"])
        .events(35_000, &["e=t,sn=4,sta=p,ts=30000"])
        .request(43_000, "sn=3,sta=p");
    // The player plays for 9.2 s before the stall, which lasts 2 s. It then plays for 18 s until `t`, and for 8 s
    // until the last request.
    assert_eq!(amounts(&rig.cell(0)), (35_200, 2_000, 1, 1, 1, Some(800)));
}

#[test]
fn request_adds_no_time_if_a_batch_of_events_may_still_arrive() {
    let mut rig = Rig::new();
    rig.events(900, &["e=ps,sn=0,sta=s,ts=0", "e=ps,sn=1,sta=p,ts=800"])
        .request(6_000, "sn=0,sta=p")
        .request(9_500, "sn=1,sta=p")
        .events(10_000, &["e=ps,sn=2,sta=r,ts=4000", "e=ps,sn=3,sta=p,ts=6000"])
        // This batch contains the rest of the events.
        .events(20_000, &["e=ps,sn=4,sta=a,ts=12000"])
        .request(22_000, "sn=2,sta=a");
    assert_eq!(amounts(&rig.cell(0)), (9_200, 2_000, 1, 1, 1, Some(800)));
}

#[test]
fn late_events_do_not_count_time_that_requests_have_counted() {
    let mut rig = Rig::new();
    rig.events(100, &["e=ps,sn=0,sta=p,ts=0"]).request(20_100, "sn=0,sta=p").request(40_100, "sn=1,sta=p");
    // Each event is sent in its own request. The player repeated these requests until the collector was available
    // again.
    for (nth, ts) in [(1, 10_000), (2, 20_000), (3, 30_000), (4, 45_000)] {
        rig.events(46_000 + nth, &[&format!("e=t,sn={nth},sta=p,ts={ts}")]);
    }
    assert_eq!(amounts(&rig.cell(0)), (45_000, 0, 0, 1, 1, None));
}

#[test]
fn totals_in_requests_and_in_late_batches_count_once() {
    let mut rig = Rig::new();
    rig.events(0, &["dfa=0,e=ps,sta=s,ts=+0", "dfa=0,e=ps,sta=p,ts=+100"]);
    for (at, dropped) in [(1_000, 10), (2_000, 30), (3_000, 30)] {
        rig.request(at, &format!("dfa={dropped},sta=p"));
    }
    rig.events(3_100, &["dfa=10,e=t,sta=p,ts=+1000", "dfa=30,e=t,sta=p,ts=+2000"]);
    rig.request(4_000, "dfa=30,sta=p");
    assert_eq!(rig.cell(0).sums[SumMetric::DroppedFrames], 30);
}

#[test]
fn totals_in_requests_count_without_events() {
    let mut rig = Rig::new();
    rig.request(0, "dfa=3,sta=p").request(1_000, "dfa=10,sta=p").request(2_000, "dfa=12,sta=p");
    assert_eq!(rig.cell(0).sums[SumMetric::DroppedFrames], 9);
}

#[test]
fn failure_that_requests_report_does_not_count_again_if_late_events_report_it() {
    let mut rig = Rig::new();
    rig.request(0, "sta=s").request(2_000, "sta=f");
    rig.events(2_100, &["e=ps,sta=s,ts=+0", "e=ps,sta=f,ts=+2000"]);
    let sums = rig.cell(0).sums;
    assert_eq!(
        (sums[SumMetric::Attempts], sums[SumMetric::StartupFailures], sums[SumMetric::PlaybackFailures]),
        (1, 1, 0)
    );

    // If events report a failure, it counts once, even if a request reports it before or after them.
    let mut rig = Rig::new();
    rig.events(0, &["e=ps,sta=s,ts=+0"]).events(1_000, &["e=ps,sta=p,ts=+1000"]);
    rig.request(5_000, "sta=f").events(5_100, &["e=ps,sta=f,ts=+5000"]);
    assert_eq!(rig.cell(0).sums[SumMetric::PlaybackFailures], 1);
}

/// Returns the number of seeks, the seeking time and the stalled time.
fn seeks(rig: &mut Rig) -> [u64; 3] {
    let sums = rig.cell(0).sums;
    [SumMetric::Seeks, SumMetric::SeekingMs, SumMetric::StalledMs].map(|metric| sums[metric])
}

#[test]
fn seek_lasts_until_the_player_plays_again_and_is_not_a_stall() {
    let mut rig = Rig::new();
    rig.events(100, &["e=ps,sta=s,ts=0"])
        // The player resumes at a position within the title. This is not a seek, because nothing has played yet.
        .events(300, &["e=ps,sta=k,ts=200"])
        .events(1_100, &["e=ps,sta=p,ts=1000"])
        .events(5_100, &["e=ps,sta=k,ts=5000"])
        .events(5_600, &["e=ps,sta=k,ts=5500"])
        .events(5_800, &["e=ps,sta=r,ts=5700"])
        .events(7_100, &["e=ps,sta=p,ts=7000"])
        .events(9_100, &["e=ps,sta=r,ts=9000"])
        .events(9_600, &["e=ps,sta=p,ts=9500"]);
    assert_eq!(seeks(&mut rig), [1, 2_000, 500]);

    // The report of the seek arrives after the report of the state that follows the seek.
    let mut rig = Rig::new();
    rig.events(100, &["e=ps,sta=p,ts=0"])
        .events(4_100, &["e=ps,sta=r,ts=4002"])
        .events(4_101, &["e=ps,sta=k,ts=4000"])
        .events(4_300, &["e=ps,sta=p,ts=4200"]);
    assert_eq!(seeks(&mut rig), [1, 200, 0]);

    // The time of a pause during a seek is not seeking time.
    let mut rig = Rig::new();
    rig.events(100, &["e=ps,sta=p,ts=0"])
        .events(2_100, &["e=ps,sta=a,ts=2000"])
        .events(3_100, &["e=ps,sta=k,ts=3000"])
        .events(3_500, &["e=ps,sta=a,ts=3400"])
        .events(9_100, &["e=ps,sta=p,ts=9000"]);
    assert_eq!(seeks(&mut rig), [1, 400, 0]);
}

#[test]
fn bitrate_before_a_switch_determines_its_direction() {
    let mut rig = Rig::new();
    rig.events(0, &["e=ps,sta=p,ts=0"])
        // This event reports the first bitrate of the session, so it is not a switch.
        .events(900, &["e=bc,sta=p,ts=900,br=(800)"])
        .events(2_000, &["e=bc,sta=p,ts=2000,br=(2400)"])
        .events(3_000, &["e=bc,sta=p,ts=3000,br=(1200)"])
        .events(4_000, &["e=bc,sta=p,ts=4000,br=(1200)"]);
    let sums = rig.cell(0).sums;
    let switches = [SumMetric::Switches, SumMetric::SwitchesUp, SumMetric::SwitchesDown];
    assert_eq!(switches.map(|metric| sums[metric]), [2, 1, 1]);
}

#[test]
fn bitrate_change_without_two_bitrates_is_not_a_switch() {
    let first = ["e=ps,sta=s,ts=0", "e=ps,sta=p,ts=1000", "e=bc,br=(1600),ts=2000"];
    let without_bitrate = ["e=ps,sta=p,br=(800),ts=0", "e=bc,ts=1000", "e=bc,ts=2000"];
    let audio = ["e=ps,sta=p,br=(800;v),ts=0", "e=bc,br=(64;a),ts=1000", "e=bc,ot=a,br=(96),ts=2000"];
    let before_the_first_frame = ["e=bc,sta=s,br=(800),ts=0", "e=bc,sta=s,br=(1600),ts=500"];
    // A bitrate in any event is known, also if the event reports no change.
    let known = ["e=ps,sta=s,br=(800),ts=0", "e=ps,sta=p,ts=1000", "e=bc,br=(1600),ts=2000"];
    let between_audio = ["e=ps,sta=p,br=(800;v),ts=0", "e=bc,br=(64;a),ts=500", "e=bc,br=(400;v),ts=1000"];
    for (lines, expected) in [
        (&first[..], [0, 0, 0]),
        (&without_bitrate, [0, 0, 0]),
        (&audio, [0, 0, 0]),
        (&before_the_first_frame, [0, 0, 0]),
        (&known, [1, 1, 0]),
        (&between_audio, [1, 0, 1]),
    ] {
        for batched in [true, false] {
            let mut rig = Rig::new();
            if batched {
                rig.events(2_500, lines);
            } else {
                for (at, line) in (0..).step_by(1_000).zip(lines) {
                    rig.events(at, &[line]);
                }
            }
            let sums = rig.cell(0).sums;
            let switches = [SumMetric::Switches, SumMetric::SwitchesUp, SumMetric::SwitchesDown];
            assert_eq!(switches.map(|metric| sums[metric]), expected, "{lines:?}");
        }
    }
}

#[test]
fn time_to_first_byte_is_the_mean_over_responses_with_media() {
    let mut rig = Rig::new();
    rig.events(0, &["e=rr,ot=m,sta=s,ts=0,ttfb=5000", "e=ps,sta=p,ts=10,ttfb=7000"])
        .events(1_000, &["e=rr,ot=v,sta=p,ts=1000,ttfb=30"])
        // Without an object type, the name of the file determines if it is media.
        .events(2_000, &[r#"e=rr,sta=p,ts=2000,ttfb=5000,url="https://a.example/live.mpd?from=1.m4s""#])
        .events(9_000, &[r#"e=rr,sta=p,ts=9000,ttfb=90,url="https://a.example/1.m4s""#])
        // This value is a time of day instead of a duration, so it is ignored.
        .events(9_500, &["e=rr,ot=v,sta=p,ts=9500,ttfb=1795312440000"]);
    assert_eq!(rig.cell(0).values[ValueMetric::TtfbMs].values(), [(60, 1)]);
}
