//! Authentication: tokens, and the tenants that they may see.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE};
use subtle::ConstantTimeEq as _;

use crate::ConsoleError;

#[cfg(test)]
mod tests;

/// The name of the cookie with the token.
pub(crate) const COOKIE_NAME: &str = "crowdfold_token";

/// The lengths of a token, bytes.
const SHORTEST: usize = 16;
const LONGEST: usize = 256;

/// A token, and the tenants that it may see.
pub struct Token {
    /// Its name, for messages.
    pub name: String,
    /// The tenants; empty for all.
    pub tenants: BTreeSet<String>,
    secret: [u8; LONGEST],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Token {
    /// Reads a token from a file. White space around it is ignored.
    ///
    /// # Errors
    /// The file cannot be read, or does not contain a text of 16 to 256 visible ASCII characters.
    pub fn read(name: &str, file: &Path, tenants: BTreeSet<String>) -> Result<Self, ConsoleError> {
        let failed = |problem: String| ConsoleError::Token { name: name.to_owned(), problem };
        let text = std::fs::read(file).map_err(|error| failed(format!("{}: {error}", file.display())))?;
        let secret = padded(text.trim_ascii())
            .ok_or_else(|| failed(format!("{} does not contain a token", file.display())))?;
        Ok(Self { name: name.to_owned(), tenants, secret })
    }
}

/// Returns a token with zeros after it, so that all are compared in the same time; `None` if it is not a token.
fn padded(text: &[u8]) -> Option<[u8; LONGEST]> {
    let is_token = (SHORTEST..=LONGEST).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
    is_token.then(|| {
        let mut padded = [0; LONGEST];
        padded[..text.len()].copy_from_slice(text);
        padded
    })
}

/// The tenants that a request may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// All tenants.
    All,
    /// These tenants.
    Tenants(BTreeSet<String>),
}

impl Access {
    /// Returns true if a tenant may be seen.
    #[must_use]
    pub fn sees(&self, tenant: &str) -> bool {
        match self {
            Self::All => true,
            Self::Tenants(tenants) => tenants.contains(tenant),
        }
    }
}

/// Returns the access of a token; `None` if it is wrong. The time does not depend on the tokens.
pub(crate) fn of_token(tokens: &[Token], text: &[u8]) -> Option<Access> {
    let given = padded(text).unwrap_or([0xff; LONGEST]);
    let mut found = None;
    for token in tokens {
        if bool::from(token.secret.ct_eq(&given)) {
            let tenants = &token.tenants;
            found = Some(if tenants.is_empty() { Access::All } else { Access::Tenants(tenants.clone()) });
        }
    }
    found
}

/// Returns the token of a request: from the header `Authorization`, otherwise from the cookie.
pub(crate) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
    });
    let cookies =
        headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let prefix = const { COOKIE_NAME.as_bytes() };
    bearer.or_else(|| {
        cookies.map(<[u8]>::trim_ascii).find_map(|cookie| cookie.strip_prefix(prefix)?.strip_prefix(b"="))
    })
}
