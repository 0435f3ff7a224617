//! Placeholder until `crowdfold_rollup::BOUNDED_FIELDS` is on main.

pub(crate) struct BoundedField {
    pub(crate) name: &'static str,
    base: u64,
    grows: bool,
}

impl BoundedField {
    pub(crate) fn clamp(&self, window: u64) -> u64 {
        if self.grows { (self.base * window).div_ceil(60_000).max(1) } else { self.base }
    }
}

const fn fixed(name: &'static str, base: u64) -> BoundedField {
    BoundedField { name, base, grows: false }
}

const fn grows(name: &'static str, base: u64) -> BoundedField {
    BoundedField { name, base, grows: true }
}

pub(crate) const BOUNDED_FIELDS: [BoundedField; 18] = [
    fixed("attempts", 1),
    fixed("plays", 1),
    fixed("startup_failures", 1),
    fixed("playback_failures", 1),
    fixed("errors.network", 1),
    fixed("errors.manifest", 1),
    fixed("errors.media", 1),
    fixed("errors.drm", 1),
    fixed("errors.timeout", 1),
    fixed("errors.other", 1),
    grows("stalls", 3),
    grows("stalled_ms", 15_000),
    grows("dropped_frames", 60),
    grows("switches", 3),
    fixed("startup_ms", 10_000),
    fixed("bitrate_kbps", 10_000),
    fixed("bandwidth_kbps", 30_000),
    grows("playing_ms", 60_000),
];
