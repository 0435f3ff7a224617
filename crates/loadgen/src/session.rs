//! Simulates a session: the times and the contents of its beacons.

use std::sync::Arc;

use crowdfold_model::{SumMetric, ValueMetric};

use crate::catalogue::{CDNS, LADDER};
use crate::profile::{Means, Offer, Profile};
use crate::report::{Activity, Event, Picture};
use crowdfold_random::Random;

/// A live session, and the kind and time of its next beacon.
pub(crate) struct Session {
    pub(crate) profile: Arc<Profile>,
    /// The time of the next beacon, in milliseconds since the epoch.
    pub(crate) due: u64,
    next: Next,
    random: Random,
    /// A separate generator for the latency of live streams, so these draws do not change the other draws.
    latency: Random,
    /// A separate generator for seeks and the time to first byte.
    playback: Random,
    means: Means,
    /// The time of the previous beacon. The next beacon reports the amounts since this time.
    previous: u64,
    /// The time of the previous heartbeat or play. The next heartbeat is scheduled one interval later.
    beat: u64,
    cdn: usize,
    rung: usize,
}

#[derive(Clone, Copy)]
enum Next {
    Attempt,
    Play(u32),
    FailToStart,
    GiveUp,
    Heartbeat,
    Error,
    FatalError,
    End,
    Nothing,
}

impl Session {
    /// Creates a session whose first beacon is an attempt to play, at the time `start`.
    pub(crate) fn begin(number: u64, offer: &Offer, mut random: Random, start: u64) -> Self {
        let (profile, means) = Profile::draw(number, offer, &mut random);
        let mut session = Self {
            profile: Arc::new(profile),
            due: start,
            next: Next::Attempt,
            latency: random.apart(1),
            playback: random.apart(3),
            random,
            means,
            previous: start,
            beat: start,
            cdn: 0,
            rung: 0,
        };
        session.choose_cdn();
        session
    }

    /// Creates a session that is already playing. Its first beacon is a heartbeat, at most one interval after `start`.
    /// This heartbeat reports no playing time, because playing time in a first report would count as a play.
    pub(crate) fn under_way(number: u64, offer: &Offer, random: Random, start: u64, heartbeat: u64) -> Self {
        let mut session = Self::begin(number, offer, random, start);
        session.due = start + session.random.below(heartbeat);
        session.previous = session.due;
        session.beat = session.due;
        session.next = Next::Heartbeat;
        session.adapt();
        session
    }

    /// Returns the next beacon of the session, and a flag that is false if it is the last beacon.
    pub(crate) fn send(&mut self, heartbeat: u64) -> (Activity, bool) {
        let at = self.due;
        let plain = |session: &Self, event| Activity::plain(at, event, CDNS[session.cdn].1);
        let activity = match self.next {
            Next::Attempt => {
                self.plan_start();
                plain(self, Event::Attempt)
            }
            Next::FailToStart => {
                self.next = Next::Nothing;
                let class = *self.random.weighted(&["manifest", "drm", "network", "timeout"], |_| 1);
                Activity { error: Some(class), fatal: true, ..plain(self, Event::Error) }
            }
            Next::GiveUp => {
                self.next = Next::Nothing;
                plain(self, Event::End)
            }
            Next::Play(startup_ms) => {
                self.adapt();
                let mut activity = plain(self, Event::Play);
                self.show(&mut activity);
                activity.set(ValueMetric::StartupMs, startup_ms);
                self.beat = at;
                self.plan(heartbeat);
                activity
            }
            Next::Heartbeat => {
                let activity = self.played(Event::Heartbeat);
                self.beat = at;
                self.plan(heartbeat);
                activity
            }
            Next::Error => {
                let class = *self.random.weighted(&["network", "media", "timeout", "other"], |_| 1);
                self.next = Next::Heartbeat;
                self.due = self.beat + heartbeat;
                Activity { error: Some(class), ..self.played_on(at, Event::Error) }
            }
            Next::FatalError => {
                let class = *self.random.weighted(&["network", "media", "drm"], |_| 1);
                self.next = Next::Nothing;
                Activity { error: Some(class), fatal: true, ..self.played_on(at, Event::Error) }
            }
            Next::End => {
                self.next = Next::Nothing;
                self.played_on(at, Event::End)
            }
            Next::Nothing => plain(self, Event::End),
        };
        self.previous = at;
        (activity, !matches!(self.next, Next::Nothing))
    }

    /// Selects the end of an attempt to play at random. Of a hundred attempts, two fail, three are given up (one of
    /// these without a further beacon), and all others start to play.
    fn plan_start(&mut self) {
        let slow = 200 + 8_000_000 / self.means.kbps;
        let startup = slow * self.random.between(70, 160) / 100;
        (self.next, self.due) = match self.random.below(100) {
            0 | 1 => (Next::FailToStart, self.due + self.random.between(500, 4_000)),
            2 | 3 => (Next::GiveUp, self.due + self.random.between(1_000, 8_000)),
            4 => (Next::Nothing, self.due),
            _ => (Next::Play(u32::try_from(startup).unwrap_or(u32::MAX)), self.due + startup),
        };
    }

    /// Selects the next beacon after a play or a heartbeat at random. In most cases, the next beacon is a heartbeat.
    fn plan(&mut self, heartbeat: u64) {
        let soon = self.beat + self.random.between(100, heartbeat - 100);
        (self.next, self.due) = if self.random.chance(heartbeat, self.means.usual_length_ms) {
            // One in ten sessions ends without a last beacon, like a session whose page is closed.
            if self.random.chance(1, 10) { (Next::Nothing, self.beat) } else { (Next::End, soon) }
        } else if self.random.chance(heartbeat, 600 * 60_000) {
            (Next::FatalError, soon)
        } else if self.random.chance(heartbeat, 60 * 60_000) {
            (Next::Error, soon)
        } else {
            (Next::Heartbeat, self.beat + heartbeat)
        };
    }

    /// Returns a beacon that reports the whole time since the previous beacon as playing time.
    fn played_on(&mut self, at: u64, event: Event) -> Activity {
        let mut activity = Activity::plain(at, event, CDNS[self.cdn].1);
        activity.add(SumMetric::PlayingMs, u32::try_from(at - self.previous).unwrap_or(u32::MAX));
        self.show(&mut activity);
        activity
    }

    /// Returns a beacon that reports the time since the previous beacon. In this time, the session may have stalled or
    /// switched to another CDN.
    fn played(&mut self, event: Event) -> Activity {
        let elapsed = self.due - self.previous;
        let before = self.rung;
        let starved = self.adapt();
        let chance = if starved { 2_500 } else { CDNS[self.cdn].2 };
        let mut activity = self.played_on(self.due, event);
        if before != self.rung {
            activity.add(SumMetric::Switches, 1);
            if self.profile.playback {
                let up = self.rung > before;
                activity.add(if up { SumMetric::SwitchesUp } else { SumMetric::SwitchesDown }, 1);
            }
        }
        if self.random.chance(1, 8) {
            activity.add(SumMetric::DroppedFrames, self.random.between(1, 30) as u32);
        }
        if elapsed >= 1_000 && self.random.chance(chance, 10_000) {
            let stalled_ms = self.random.between(200, (elapsed / 2).min(4_000)) as u32;
            activity.add(SumMetric::StalledMs, stalled_ms);
            activity.add(SumMetric::Stalls, if stalled_ms > 2_000 { 2 } else { 1 });
            activity.sums[SumMetric::PlayingMs as usize] -= stalled_ms;
            if self.random.chance(1, 5) {
                self.choose_cdn();
            }
        }
        // Viewers do not seek in live streams.
        let may_seek = self.profile.playback && self.means.live_latency_ms.is_none() && elapsed >= 1_000;
        if may_seek && self.playback.chance(1, 30) {
            let seeking_ms = self.playback.between(80, (elapsed / 4).min(2_000)) as u32;
            activity.add(SumMetric::SeekingMs, seeking_ms);
            activity.add(SumMetric::Seeks, if seeking_ms > 1_000 { 2 } else { 1 });
            activity.sums[SumMetric::PlayingMs as usize] -= seeking_ms;
        }
        activity
    }

    fn choose_cdn(&mut self) {
        let chosen = self.random.weighted(CDNS, |(weight, ..)| *weight);
        self.cdn = CDNS.iter().position(|(_, name, _)| *name == chosen.1).unwrap_or(0);
    }

    /// Draws a throughput, and selects the best rendition for it. Returns true if the throughput is too low for every
    /// rendition.
    fn adapt(&mut self) -> bool {
        let kbps = self.means.kbps * self.random.between(60, 130) / 100;
        let fits = |rung: &crate::catalogue::Rung| {
            u64::from(rung.kbps) * 4 / 3 <= kbps && rung.height <= self.means.height
        };
        let best = LADDER.iter().rposition(fits);
        self.rung = best.unwrap_or(0);
        best.is_none()
    }

    /// Adds values to a beacon: the rendition, its bitrate, the measured throughput, the time to first byte, and for a live
    /// stream the latency.
    fn show(&mut self, activity: &mut Activity) {
        let rung = &LADDER[self.rung];
        let measured = self.means.kbps * self.random.between(60, 130) / 100;
        activity.picture = Some(Picture { height: rung.height, quality: rung.quality });
        activity.set(ValueMetric::BandwidthKbps, u32::try_from(measured).unwrap_or(u32::MAX));
        activity.set(ValueMetric::BitrateKbps, rung.kbps);
        if let Some(usual) = self.means.live_latency_ms {
            let latency = usual * self.latency.between(80, 130) / 100;
            activity.set(ValueMetric::LiveLatencyMs, u32::try_from(latency).unwrap_or(u32::MAX));
        }
        if self.profile.playback {
            let usual = 20 + 400_000 / self.means.kbps;
            let ttfb = usual * self.playback.between(60, 180) / 100;
            activity.set(ValueMetric::TtfbMs, u32::try_from(ttfb).unwrap_or(u32::MAX));
        }
    }
}
