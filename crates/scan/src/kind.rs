//! Kinds of identifiers, and the encodings that they are found in.

use std::fmt;

/// A kind of identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identifier {
    /// An IP address: dotted in decimal, octal or hexadecimal, IPv6, IPv4-mapped, or `0x` with digits.
    Address,
    /// A hardware address, with separators or without.
    Mac,
    /// An e-mail address, also with `(at)` for `@`.
    Email,
    /// A phone number.
    Phone,
    /// Nine digits or more, with separators or without. An IP address as a decimal number is one of these.
    Digits,
    /// A hexadecimal number with the length of an IP address.
    Hex,
    /// A UUID.
    Uuid,
    /// A ULID.
    Ulid,
    /// A digest: SHA-1, or one of SHA-2.
    Hash,
    /// An analytics cookie.
    Cookie,
    /// A JSON Web Token.
    Jwt,
    /// A latitude and a longitude.
    Coordinates,
    /// A whole user agent.
    UserAgent,
    /// Base64 or base32 with padding.
    Encoded,
    /// One of the values that the scanner was configured with.
    Known,
}

impl Identifier {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::Address,
        Self::Mac,
        Self::Email,
        Self::Phone,
        Self::Digits,
        Self::Hex,
        Self::Uuid,
        Self::Ulid,
        Self::Hash,
        Self::Cookie,
        Self::Jwt,
        Self::Coordinates,
        Self::UserAgent,
        Self::Encoded,
        Self::Known,
    ];

    /// Returns the name used in reports and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Mac => "mac",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Digits => "digits",
            Self::Hex => "hex",
            Self::Uuid => "uuid",
            Self::Ulid => "ulid",
            Self::Hash => "hash",
            Self::Cookie => "cookie",
            Self::Jwt => "jwt",
            Self::Coordinates => "coordinates",
            Self::UserAgent => "user-agent",
            Self::Encoded => "encoded",
            Self::Known => "known",
        }
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "an IP address",
            Self::Mac => "a hardware address",
            Self::Email => "an e-mail address",
            Self::Phone => "a phone number",
            Self::Digits => "a number of nine digits or more",
            Self::Hex => "a hexadecimal number with the length of an IP address",
            Self::Uuid => "a UUID",
            Self::Ulid => "a ULID",
            Self::Hash => "a digest",
            Self::Cookie => "an analytics cookie",
            Self::Jwt => "a JSON Web Token",
            Self::Coordinates => "coordinates",
            Self::UserAgent => "a whole user agent",
            Self::Encoded => "base64 or base32 with padding",
            Self::Known => "a value of audit.known",
        })
    }
}

/// An encoding in which an identifier was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Writing {
    /// Unencoded.
    Plain,
    /// Backwards.
    Reversed,
    /// `%xx`.
    Percent,
    /// Base64, in either alphabet.
    Base64,
    /// Base32, in either case.
    Base32,
    /// Two hexadecimal digits for each byte.
    Hex,
}

impl Writing {
    /// Returns the name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Reversed => "reversed",
            Self::Percent => "percent-encoded",
            Self::Base64 => "base64",
            Self::Base32 => "base32",
            Self::Hex => "hexadecimal",
        }
    }
}

/// A kind of identifier, and the encoding in which it was found.
pub type Hit = (Identifier, Writing);
