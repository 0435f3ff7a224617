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

/// The minimum length of a token, in bytes.
const SHORTEST: usize = 16;
const LONGEST: usize = 256;

/// A token for authentication, and the tenants that its owner may see.
pub struct Token {
    /// The name of the token in messages.
    pub name: String,
    /// The tenants that may be seen. If the set is empty, all tenants may be seen.
    pub tenants: BTreeSet<String>,
    secret: [u8; LONGEST],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Token {
    /// Reads a token from a file. White space around the token is ignored.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or does not contain 16 to 256 visible ASCII characters. Commas,
    /// semicolons, quotes and backslashes are refused, because a cookie cannot contain them.
    pub fn read(name: &str, file: &Path, tenants: BTreeSet<String>) -> Result<Self, ConsoleError> {
        let failed = |problem: String| ConsoleError::Token { name: name.to_owned(), problem };
        let text = std::fs::read(file).map_err(|error| failed(format!("{}: {error}", file.display())))?;
        let secret = padded(text.trim_ascii())
            .ok_or_else(|| failed(format!("{} does not contain a token", file.display())))?;
        Ok(Self { name: name.to_owned(), tenants, secret })
    }
}

/// Appends zeros to a token, so that all comparisons take the same time. Returns `None` if the text is not a token.
fn padded(text: &[u8]) -> Option<[u8; LONGEST]> {
    let is_in_cookies = |byte: &u8| byte.is_ascii_graphic() && !br#",;"\"#.contains(byte);
    let is_token = (SHORTEST..=LONGEST).contains(&text.len()) && text.iter().all(is_in_cookies);
    is_token.then(|| {
        let mut padded = [0; LONGEST];
        padded[..text.len()].copy_from_slice(text);
        padded
    })
}

/// The tenants that a request may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every tenant.
    All,
    /// Only these tenants.
    Tenants(BTreeSet<String>),
}

impl Access {
    /// Returns true if the request may see a tenant.
    #[must_use]
    pub fn sees(&self, tenant: &str) -> bool {
        match self {
            Self::All => true,
            Self::Tenants(tenants) => tenants.contains(tenant),
        }
    }
}

/// Returns the access that a token gives, or `None` if the token is wrong. The duration does not depend on the tokens.
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

/// Returns the token of a request. It is in the header `Authorization` or in the cookie; the header takes precedence.
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
