//! `[release]`: what a row must be to leave.

mod keys;

use std::fs;
use std::path::PathBuf;

use crowdfold_release::{Policies, Policy, PrivacySettings, Secret};

use super::admission::{Content, Tenants};
use super::layers::Layers;
use super::problem::Problem;
use super::windows::{Sessions, Windows};

use keys::Keys;
pub(super) use keys::own_key;

/// What tenants have of their own.
const TENANTS: &str = "release.tenants";
const GUARD: &str = "release.guard_networks";
const POLICY: &str = "release.policy";
const EPSILON: &str = "release.privacy.epsilon";
const DELTA: &str = "release.privacy.delta";
const SECRET: &str = "release.privacy.secret_file";
const LENGTH: &str = "windows.length";

/// The advice that goes with tables that show session counts only.
pub const COUNTS_ONLY: &str = "no secret is configured, so tables other than the detail table show session counts only; \
    to publish their other numbers with noise, write `openssl rand -hex 32` to a file and set \
    release.privacy.secret_file = \"/etc/crowdfold/secret\"";

/// How long windows are under `differential-privacy` where nobody says: shorter ones cut the day's budget into more
/// shares.
const HOURLY: &str = "1h";

/// `[release]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Breakdowns, thresholds and noise of every tenant; without their secret until [`super::Config::keyed`].
    pub policies: Policies,
    /// Where the secret lies that all workers share.
    pub secret_file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Threshold,
    DifferentialPrivacy,
}

impl Release {
    /// Puts the default length of windows in place that goes with the policy.
    pub(super) fn settle_defaults(layers: &mut Layers) {
        if layers.text(POLICY).is_ok_and(|policy| policy == "differential-privacy")
            && layers.untouched(LENGTH)
        {
            layers.default_to(LENGTH, HOURLY);
        }
    }

    pub(super) fn read(
        layers: &Layers,
        tenants: &Tenants,
        content: &Content,
        windows: &Windows,
        sessions: &Sessions,
    ) -> Result<Self, Problem> {
        let kinds = [("threshold", Kind::Threshold), ("differential-privacy", Kind::DifferentialPrivacy)];
        let kind = layers.choice(POLICY, &kinds)?;
        let secret_file = layers.optional(SECRET)?.map(PathBuf::from);
        if kind == Kind::DifferentialPrivacy && secret_file.is_none() {
            let what = format!(
                "differential-privacy needs a secret that keys the noise, the same for all workers: make one with \
                 `openssl rand -hex 32` and name its file in {SECRET}, or use threshold"
            );
            return Err(layers.refuse(POLICY, what));
        }
        let guard = u32::try_from(layers.whole(GUARD, 0..=64)?).ok().filter(|networks| *networks > 0);
        if guard.is_some() && secret_file.is_none() {
            let what = format!("needs a secret that all workers share: name its file in {SECRET}, or set 0");
            return Err(layers.refuse(GUARD, what));
        }
        let budget = PrivacySettings {
            epsilon: layers.real(EPSILON, 10.0)?,
            delta: layers.real(DELTA, 1e-4)?,
            window: windows.length,
            idle: sessions.idle,
        };
        let policy = |keys: &Keys| {
            let settings = keys.settings(layers, content, guard)?;
            let policy = match kind {
                Kind::Threshold => Policy::threshold(settings),
                Kind::DifferentialPrivacy => Policy::differential_privacy(settings, &budget),
            };
            policy.map_err(|error| keys.refused(layers, &error))
        };
        let common = policy(&Keys::common())?;
        let mut own = Vec::new();
        for tenant in tenants.sections(layers, TENANTS)? {
            own.push((tenant.to_owned(), policy(&Keys::of(layers, tenant))?));
        }
        Ok(Self { policies: Policies::new(common, own), secret_file })
    }

    /// Returns the policies with the secret that keys their noise, if a file is named.
    pub(super) fn keyed(mut self, layers: &Layers) -> Result<Self, Problem> {
        if self.secret_file.is_some() {
            let secret = Secret::new(self.secret(layers)?);
            self.policies = self.policies.keyed(&secret);
        }
        Ok(self)
    }

    /// Returns true if some table will show session counts only, because no secret keys its noise.
    #[must_use]
    pub fn shows_counts_only(&self) -> bool {
        let has_other_tables =
            |policy: &Policy| policy.breakdowns().len() > usize::from(policy.detail().is_some());
        self.secret_file.is_none()
            && self.policies.common().privacy().is_none()
            && self.policies.all().any(has_other_tables)
    }

    /// The shared secret, out of its file.
    pub(super) fn secret(&self, layers: &Layers) -> Result<[u8; 32], Problem> {
        let path = self.secret_file.as_ref().ok_or_else(|| layers.refuse(SECRET, "names no file"))?;
        let text =
            fs::read_to_string(path).map_err(|error| Problem::unreadable(path, Some(SECRET), &error))?;
        digits(text.trim()).ok_or_else(|| {
            let what = "its file does not hold 64 hexadecimal digits: make it with `openssl rand -hex 32`";
            layers.refuse(SECRET, what)
        })
    }
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut secret = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(secret)
}
