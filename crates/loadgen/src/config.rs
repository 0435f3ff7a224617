//! The configuration of the synthetic players, and its validation.

/// The configuration of the synthetic players.
#[derive(Clone, Debug)]
pub struct PlayersConfig {
    /// The number of sessions that are live at any time. When a session ends, another begins within three seconds.
    pub sessions: u32,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The earliest time of the first beacon, in milliseconds since the epoch. The default is the beginning of 2025.
    pub start_ms: u64,
    /// The interval at which a playing session reports, in milliseconds, from 1,000 to 30,000.
    pub heartbeat_ms: u32,
    /// The names of the tenants. The number of sessions of the n-th tenant is proportional to 1/n.
    pub tenants: Vec<String>,
    /// The number of different content items, from 1 to 1,000,000. The popularity of the n-th content is proportional to
    /// 1/n.
    pub contents: u32,
    /// The fields that beacons contain.
    pub mix: Mix,
    /// The custom dimensions. Each session has one value of each.
    pub custom: Vec<Custom>,
    /// The faults that are injected.
    pub faults: Faults,
}

impl Default for PlayersConfig {
    fn default() -> Self {
        Self {
            sessions: 1_000,
            seed: 1,
            start_ms: 1_735_689_600_000,
            heartbeat_ms: 10_000,
            tenants: vec!["default".into()],
            contents: 500,
            mix: Mix::default(),
            custom: Vec::new(),
            faults: Faults::default(),
        }
    }
}

/// A custom dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// The name.
    pub name: String,
    /// The tenant whose sessions have this dimension, or `None` for the sessions of all tenants.
    pub tenant: Option<String>,
    /// The path of object keys in beacons.
    pub path: Vec<String>,
    /// The values. All have the same probability.
    pub values: Vec<String>,
}

/// The fields that beacons contain. Each number is a share of the sessions, in percent.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// The share of browser sessions that send a `user_agent`. The other browser sessions send `os` and `browser`.
    pub user_agents: u8,
    /// The share of sessions whose beacons contain `country` and `asn`.
    pub located: u8,
    /// The share of sessions that report their device, player and connection.
    pub detailed: u8,
    /// The share of sessions that report their firmware, and the versions of their operating system, browser and
    /// player.
    pub versions: u8,
    /// The share of sessions that report their seeks, the direction of their switches, and the time to first byte.
    pub playback: u8,
}

impl Default for Mix {
    fn default() -> Self {
        Self { user_agents: 20, located: 90, detailed: 90, versions: 20, playback: 50 }
    }
}

impl Mix {
    /// Returns a mix in which a heartbeat has 17 fields, for comparisons of speed with other programs on the same
    /// beacons.
    #[must_use]
    pub const fn lean() -> Self {
        Self { user_agents: 0, located: 0, detailed: 0, versions: 0, playback: 0 }
    }
}

/// The faults that are injected. Each share is in thousandths.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// The share of beacons that are sent a second time, at most 5 s later.
    pub duplicate: u16,
    /// The share of beacons that may be delayed by `late_by_ms`. Only heartbeats with playing time are actually
    /// delayed.
    pub late: u16,
    /// The delay of late beacons, in milliseconds. It must be longer than a window and its lateness.
    pub late_by_ms: u64,
    /// The number of additional records that are not beacons, per thousand beacons.
    pub garbage: u16,
    /// The number of additional beacons without a session id, per thousand beacons.
    pub no_session: u16,
    /// The number of additional beacons without a time, per thousand beacons.
    pub no_time: u16,
    /// The share of sessions that send `opt_out` in every beacon.
    pub opt_out: u16,
}

impl Default for Faults {
    /// Returns no faults.
    fn default() -> Self {
        Self { duplicate: 0, late: 0, late_by_ms: 150_000, garbage: 0, no_session: 0, no_time: 0, opt_out: 0 }
    }
}

impl Faults {
    /// Returns a few faults of each kind.
    #[must_use]
    pub fn some() -> Self {
        Self {
            duplicate: 20,
            late: 10,
            garbage: 5,
            no_session: 3,
            no_time: 2,
            opt_out: 15,
            ..Self::default()
        }
    }
}

/// The reason why a configuration is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadgenError {
    /// The number of sessions is 0.
    #[error("the number of sessions is 0; set it to at least 1")]
    NoSessions,
    /// The number of content items is 0 or above 1,000,000. If there were more items, their ids would have the form of
    /// account ids.
    #[error("the number of content items is {0}; set it to 1 to 1000000")]
    Contents(u32),
    /// The list of tenants is empty.
    #[error("the list of tenants is empty; add at least 1")]
    NoTenants,
    /// The name of a tenant is not valid in a configuration.
    #[error("tenant `{0}` has an invalid name; use 1 to 40 of a-z, 0-9 and `-`")]
    Tenant(String),
    /// The interval of reports is not within 1,000 to 30,000 ms.
    #[error(
        "the report interval is {0} ms, outside of 1000 to 30000; choose a rate of 0.034 to 1 beacons per second and \
         session"
    )]
    Heartbeat(u32),
    /// A share exceeds its maximum. The values are its name, the share and the maximum.
    #[error("{0} is {1}; set it to at most {2}")]
    Share(&'static str, u16, u16),
    /// A breakdown contains a dimension that players do not report.
    #[error("dimension `{0}` is not reported by players; remove it")]
    Dimension(String),
    /// A custom dimension that cannot be reported.
    #[error("custom dimension `{0}` has no path or no values; set both")]
    Custom(String),
    /// The length of a window is 0.
    #[error("the window length is 0 ms; set it to at least 1 ms")]
    Window,
}

impl PlayersConfig {
    /// Returns the interval of reports, in milliseconds, with which all sessions together send a number of beacons per
    /// second. The resulting rate is accurate within 2 %.
    #[must_use]
    pub fn heartbeat_for(sessions: u32, beacons_per_second: u32) -> u32 {
        // A measurement gave 0.993 / h + 0.0078 beacons per second for one session, where h is the interval in seconds.
        let (sessions, beacons) = (u64::from(sessions), u64::from(beacons_per_second));
        let left = (beacons * 10_000).saturating_sub(78 * sessions);
        u32::try_from((sessions * 9_930_000).checked_div(left).unwrap_or(u64::MAX)).unwrap_or(u32::MAX)
    }

    /// Validates the configuration.
    ///
    /// # Errors
    /// Returns an error that names the first invalid setting and the fix.
    pub fn check(&self) -> Result<(), LoadgenError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if self.sessions == 0 {
            return Err(LoadgenError::NoSessions);
        }
        if !(1..=1_000_000).contains(&self.contents) {
            return Err(LoadgenError::Contents(self.contents));
        }
        if self.tenants.is_empty() {
            return Err(LoadgenError::NoTenants);
        }
        if let Some(name) =
            self.tenants.iter().find(|name| name.is_empty() || name.len() > 40 || !name.bytes().all(allowed))
        {
            return Err(LoadgenError::Tenant(name.clone()));
        }
        if !(1_000..=30_000).contains(&self.heartbeat_ms) {
            return Err(LoadgenError::Heartbeat(self.heartbeat_ms));
        }
        let lacks_a_part = |custom: &&Custom| custom.path.is_empty() || custom.values.is_empty();
        if let Some(custom) = self.custom.iter().find(lacks_a_part) {
            return Err(LoadgenError::Custom(custom.name.clone()));
        }
        let (mix, faults) = (&self.mix, &self.faults);
        let shares = [
            ("mix.user_agents", mix.user_agents.into(), 100),
            ("mix.located", mix.located.into(), 100),
            ("mix.detailed", mix.detailed.into(), 100),
            ("mix.versions", mix.versions.into(), 100),
            ("mix.playback", mix.playback.into(), 100),
            ("faults.duplicate + faults.late", faults.duplicate.saturating_add(faults.late), 1_000),
            ("faults.garbage", faults.garbage, 1_000),
            ("faults.no_session", faults.no_session, 1_000),
            ("faults.no_time", faults.no_time, 1_000),
            ("faults.opt_out", faults.opt_out, 1_000),
        ];
        match shares.into_iter().find(|(_, share, most)| share > most) {
            Some((name, share, most)) => Err(LoadgenError::Share(name, share, most)),
            None => Ok(()),
        }
    }
}
