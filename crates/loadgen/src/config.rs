//! What is asked of the players.

/// How many play what, and how they report it.
#[derive(Clone, Debug)]
pub struct PlayersConfig {
    /// Sessions that are live at any moment. When one ends, another begins soon after.
    pub sessions: u32,
    /// Everything random follows from it.
    pub seed: u64,
    /// When the first beacon may come, ms since the epoch. By default the beginning of 2025, long past on any clock.
    pub start_ms: u64,
    /// How often a playing session reports, ms: 1,000 to 30,000.
    pub heartbeat_ms: u32,
    /// Their tenants, the first having the most sessions (Zipf).
    pub tenants: Vec<String>,
    /// How many contents there are to play, the first being the most popular (Zipf): 1 to 1,000,000.
    pub contents: u32,
    /// What beacons carry.
    pub mix: Mix,
    /// What goes wrong, on demand.
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
            faults: Faults::default(),
        }
    }
}

/// What beacons carry. Shares of sessions, in percent.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// Browsers that send a `user_agent` where others send `device`, `os` and `browser`.
    pub user_agents: u8,
    /// Sessions whose producer says `country` and `asn`.
    pub located: u8,
    /// Sessions that say which device, player and connection they have.
    pub detailed: u8,
    /// Sessions that say the versions of their system, browser and player, and their firmware.
    pub versions: u8,
}

impl Default for Mix {
    fn default() -> Self {
        Self { user_agents: 20, located: 90, detailed: 90, versions: 20 }
    }
}

impl Mix {
    /// Explicit fields and few of them, 17 in a heartbeat: for measuring against others on the same beacons.
    #[must_use]
    pub const fn lean() -> Self {
        Self { user_agents: 0, located: 0, detailed: 0, versions: 0 }
    }
}

/// What goes wrong. Shares in a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Beacons that are sent a second time, at most 5 s later.
    pub duplicate: u16,
    /// Heartbeats that are held back for `late_by_ms`.
    pub late: u16,
    /// How long late beacons are held back, ms: more than a window and its lateness.
    pub late_by_ms: u64,
    /// Records that are no beacon: one for this number of beacons.
    pub garbage: u16,
    /// Beacons without a session: one for this number of beacons.
    pub no_session: u16,
    /// Beacons without a time: one for this number of beacons.
    pub no_time: u16,
    /// Sessions that say `opt_out` in every beacon.
    pub opt_out: u16,
}

impl Default for Faults {
    /// Nothing goes wrong.
    fn default() -> Self {
        Self { duplicate: 0, late: 0, late_by_ms: 150_000, garbage: 0, no_session: 0, no_time: 0, opt_out: 0 }
    }
}

impl Faults {
    /// A little of everything.
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

/// What cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Nobody plays.
    #[error("no sessions: ask for at least 1")]
    NoSessions,
    /// Nothing to play, or ids too long to pass for anything but an account's.
    #[error("{0} contents: ask for 1 to 1000000")]
    Contents(u32),
    /// Nobody to play for.
    #[error("no tenants: name at least 1")]
    NoTenants,
    /// A tenant's name that no configuration allows.
    #[error("tenant `{0}`: a name is 1 to 40 of a-z, 0-9 and `-`")]
    Tenant(String),
    /// A rate that no player has.
    #[error(
        "a heartbeat every {0} ms: it must be 1000 to 30000, so ask for 1 to 0.034 beacons a second and session"
    )]
    Heartbeat(u32),
    /// A share above the whole.
    #[error("{0} is {1}: it must be at most {2}")]
    Share(&'static str, u16, u16),
    /// A dimension that no beacon carries.
    #[error("dimension `{0}`: players do not report it")]
    Dimension(String),
    /// Windows without length.
    #[error("a window of 0 ms: it must be longer")]
    Window,
}

impl PlayersConfig {
    /// How often sessions must report for so many beacons a second in all, ms: within 2 %, for what sessions send when
    /// they begin and end counts too.
    #[must_use]
    pub fn heartbeat_for(sessions: u32, beacons_per_second: u32) -> u32 {
        // Measured: a session sends 0.993 / heartbeat + 0.0078 beacons a second.
        let (sessions, beacons) = (u64::from(sessions), u64::from(beacons_per_second));
        let left = (beacons * 10_000).saturating_sub(78 * sessions);
        u32::try_from((sessions * 9_930_000).checked_div(left).unwrap_or(u64::MAX)).unwrap_or(u32::MAX)
    }

    /// Whether there can be such players.
    ///
    /// # Errors
    /// What stands against it, with what would do.
    pub fn check(&self) -> Result<(), ConfigError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if self.sessions == 0 {
            return Err(ConfigError::NoSessions);
        }
        if !(1..=1_000_000).contains(&self.contents) {
            return Err(ConfigError::Contents(self.contents));
        }
        if self.tenants.is_empty() {
            return Err(ConfigError::NoTenants);
        }
        if let Some(name) =
            self.tenants.iter().find(|name| name.is_empty() || name.len() > 40 || !name.bytes().all(allowed))
        {
            return Err(ConfigError::Tenant(name.clone()));
        }
        if !(1_000..=30_000).contains(&self.heartbeat_ms) {
            return Err(ConfigError::Heartbeat(self.heartbeat_ms));
        }
        let (mix, faults) = (&self.mix, &self.faults);
        let shares = [
            ("mix.user_agents", mix.user_agents.into(), 100),
            ("mix.located", mix.located.into(), 100),
            ("mix.detailed", mix.detailed.into(), 100),
            ("mix.versions", mix.versions.into(), 100),
            ("faults.duplicate + faults.late", faults.duplicate.saturating_add(faults.late), 1_000),
            ("faults.garbage", faults.garbage, 1_000),
            ("faults.no_session", faults.no_session, 1_000),
            ("faults.no_time", faults.no_time, 1_000),
            ("faults.opt_out", faults.opt_out, 1_000),
        ];
        match shares.into_iter().find(|(_, share, most)| share > most) {
            Some((name, share, most)) => Err(ConfigError::Share(name, share, most)),
            None => Ok(()),
        }
    }
}
