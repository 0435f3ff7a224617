//! Kinds of identifiers, and the encodings that they are found in.

use std::fmt;

/// A kind of identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identifier {
    /// An IP address: four numbers in decimal, octal or hexadecimal with any separator, an IPv6 address, an IPv4
    /// address inside an IPv6 address, or one hexadecimal number after `0x`.
    Address,
    /// A hardware (MAC) address, with or without separators.
    Mac,
    /// An e-mail address, also with a word such as `(at)` instead of `@`.
    Email,
    /// A phone number.
    Phone,
    /// A number of nine or more digits, with or without separators. It may be an IP address written as one decimal
    /// number.
    Digits,
    /// A hexadecimal number without `0x` that has as many digits as an IP address, or four pairs of hexadecimal
    /// digits.
    Hex,
    /// A UUID, which is 8-4-4-4-12 hexadecimal digits.
    Uuid,
    /// A ULID, which is 26 characters of Crockford's base32.
    Ulid,
    /// A SHA-1 or SHA-2 digest in hexadecimal, or a value after a label such as `sha256-`.
    Hash,
    /// The name or the value of an analytics cookie, such as `_ga` or `GA1.2.123.456`.
    Cookie,
    /// A JSON Web Token.
    Jwt,
    /// A pair of latitude and longitude, or a plus code.
    Coordinates,
    /// A complete user agent.
    UserAgent,
    /// A value in base64 or base32 with padding (`=`), regardless of its decoded content.
    Encoded,
    /// One of the values that the scanner was configured with.
    Known,
}

impl Identifier {
    /// All kinds, in the order of their declaration.
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

    /// Returns the kind with this name, or `None` if no kind has it.
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
            Self::UserAgent => "a complete user agent",
            Self::Encoded => "base64 or base32 with padding",
            Self::Known => "a value of the list of known values",
        })
    }
}

/// An encoding in which an identifier was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Writing {
    /// The identifier is not encoded.
    Plain,
    /// The characters of the identifier are in reverse order.
    Reversed,
    /// The identifier is percent-encoded (`%xx` for each byte).
    Percent,
    /// The identifier is in base64, in the standard or the URL-safe alphabet.
    Base64,
    /// The identifier is in base32, in upper or lower case.
    Base32,
    /// The identifier is written as two hexadecimal digits for each byte.
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
