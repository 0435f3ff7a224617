//! The dimensions by which sessions are grouped.

use std::fmt;

use crate::Custom;

/// A group of dimensions that describe the same thing. Two breakdowns of a tenant must not share a family, because the
/// difference between their tables could reveal a small group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The place of the viewer.
    Place,
    /// The device and its operating system and browser.
    Platform,
    /// The player.
    Player,
    /// The stream and its content.
    Stream,
    /// The delivery of the stream.
    Delivery,
    /// The errors of the session.
    Error,
    /// A family of custom dimensions, with its name.
    Custom(&'static str),
}

impl Family {
    /// The families of built-in dimensions.
    pub const ALL: [Self; 6] =
        [Self::Place, Self::Platform, Self::Player, Self::Stream, Self::Delivery, Self::Error];

    /// Returns the built-in family with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Returns the name of the family in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Platform => "platform",
            Self::Player => "player",
            Self::Stream => "stream",
            Self::Delivery => "delivery",
            Self::Error => "error",
            Self::Custom(name) => name,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fixed list of names. Producers and user agents use different names for the same thing, so other names are
/// converted to a name of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameList {
    /// The names of browsers.
    Browsers,
    /// The names of operating systems.
    Systems,
    /// The names of classes of devices.
    Devices,
    /// The names of kinds of connections.
    Connections,
}

impl NameList {
    /// Returns all names of the list, or an empty list if only the airlock contains them.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Connections => &["ethernet", "wifi", "5g", "4g", "3g", "2g", "cellular", "fixed"],
            Self::Browsers | Self::Systems | Self::Devices => &[],
        }
    }
}

/// The rule that converts the reported string of a dimension to a published value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextRule {
    /// Any string that does not identify a person.
    Free,
    /// An ISO country code.
    Country,
    /// The name of a region, which may contain apostrophes and commas.
    Region,
    /// The number of an autonomous system.
    Asn,
    /// A name of a fixed list. The reported string may be another common name for the same thing.
    Named(NameList),
    /// One of these words. Case is ignored.
    Closed(&'static [&'static str]),
    /// The first numbers of a version.
    Version {
        /// The number of numbers that are kept, from 1 to 3.
        parts: u8,
    },
    /// The version of a firmware, with at most three numbers.
    Firmware,
    /// A code of 1 to 32 characters, which are letters, digits, `_`, `.` or `-`.
    Code,
}

/// The prefixes of the custom CMCD keys that the Streaming Video Technology Alliance registers. The registry has
/// changed the character after `svta`, so players send both forms.
const REGISTERED: [&str; 2] = ["org.svta-", "org.svta."];

/// Defines the enum [`Dimension`] and the table of its properties. The doc comment of a dimension is also its
/// description in the schema of rows and in the reference.
///
/// - `from`: `Beacon` if a field of a JSON beacon has the same name, `Derived` if the airlock computes the value from other
///   fields or from the address.
/// - `svta`: the registered custom CMCD key that contains the value, without its prefix
///   (<https://github.com/streaming-video-technology-alliance/common-media-client-data-custom-keys>).
macro_rules! dimensions {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident: $name:literal, family = $family:ident, value = $rule:expr, from = $from:ident
            $(, svta = $key:literal)?;
    )+) => {
        /// A dimension of observations. The tenant is not a dimension, because each table belongs to one tenant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Dimension {
            $($(#[doc = $doc])+ $variant,)+
            /// A dimension that the configuration defines.
            Custom(&'static Custom),
        }

        /// The positions of the dimensions in the table.
        enum Position {
            $($variant,)+
        }

        /// The definition of each dimension, in the order of [`Dimension::ALL`].
        const TABLE: &[Definition] = &[$(Definition {
            name: $name,
            description: concat!($($doc),+),
            svta: &[$($key)?],
            family: Family::$family,
            rule: $rule,
            from: From::$from,
        },)+];

        impl Dimension {
            /// All built-in dimensions, grouped by family. Custom dimensions are not among them.
            pub const ALL: [Self; TABLE.len()] = [$(Self::$variant,)+];

            /// Returns the index of the dimension in arrays of [`Dimension::COUNT`] values. Custom dimensions are last,
            /// in the order of their sources.
            #[inline]
            #[must_use]
            pub const fn index(self) -> usize {
                match self {
                    $(Self::$variant => Position::$variant as usize,)+
                    Self::Custom(custom) => TABLE.len() + custom.source(),
                }
            }

            /// Returns the dimension that a custom CMCD key contains, or `None` if the key is not registered.
            #[must_use]
            pub fn of_custom_cmcd(key: &str) -> Option<Self> {
                let name = REGISTERED.iter().find_map(|prefix| key.strip_prefix(prefix))?;
                match name {
                    $($($key => Some(Self::$variant),)?)+
                    _ => None,
                }
            }
        }
    };
}

struct Definition {
    name: &'static str,
    description: &'static str,
    svta: &'static [&'static str],
    family: Family,
    rule: TextRule,
    from: From,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Beacon,
    Derived,
}

dimensions! {
    /// ISO country, from the masked address or from the producer.
    Country: "country", family = Place, value = TextRule::Country, from = Beacon;
    /// Region of the country, from the masked address or from the producer.
    Region: "region", family = Place, value = TextRule::Region, from = Beacon;
    /// Autonomous system, from the masked address or from the producer.
    Asn: "asn", family = Place, value = TextRule::Asn, from = Beacon;
    /// Masked network. Present only if addresses are truncated instead of dropped.
    Network: "network", family = Place, value = TextRule::Free, from = Derived;
    /// Class of device.
    Device: "device", family = Platform, value = TextRule::Named(NameList::Devices),
        from = Beacon, svta = "d-t";
    /// Operating system.
    Os: "os", family = Platform, value = TextRule::Named(NameList::Systems), from = Beacon, svta = "d-osn";
    /// Browser.
    Browser: "browser", family = Platform, value = TextRule::Named(NameList::Browsers), from = Beacon;
    /// Major version of the operating system.
    OsVersion: "os_version", family = Platform, value = TextRule::Version { parts: 1 },
        from = Beacon, svta = "d-osv";
    /// Major version of the browser.
    BrowserVersion: "browser_version", family = Platform, value = TextRule::Version { parts: 1 }, from = Beacon;
    /// Version of the firmware, at most three numbers.
    Firmware: "firmware", family = Platform, value = TextRule::Firmware, from = Beacon;
    /// Player.
    Player: "player", family = Player, value = TextRule::Free, from = Beacon, svta = "p-n";
    /// Version of the player, major and minor.
    PlayerVersion: "player_version", family = Player, value = TextRule::Version { parts: 2 },
        from = Beacon, svta = "p-v";
    /// App or site that contains the player.
    App: "app", family = Player, value = TextRule::Free, from = Beacon, svta = "ap-n";
    /// Version of the app, major and minor.
    AppVersion: "app_version", family = Player, value = TextRule::Version { parts: 2 },
        from = Beacon, svta = "ap-v";
    /// Kind of stream: vod, live, low-latency.
    Stream: "stream", family = Stream, value = TextRule::Closed(&["vod", "live", "low-latency"]), from = Beacon;
    /// Streaming format: hls, dash, smooth, hesp.
    Format: "format", family = Stream, value = TextRule::Closed(&["hls", "dash", "smooth", "hesp"]), from = Beacon;
    /// Id of the content.
    Content: "content", family = Stream, value = TextRule::Free, from = Beacon;
    /// Content delivery network.
    Cdn: "cdn", family = Delivery, value = TextRule::Free, from = Beacon;
    /// Kind of connection: ethernet, wifi, 5g, 4g, 3g, 2g, cellular, or fixed for an unknown kind of fixed connection.
    Connection: "connection", family = Delivery, value = TextRule::Named(NameList::Connections),
        from = Beacon, svta = "c-t";
    /// Height of the picture, as a class.
    Quality: "quality", family = Delivery, value = TextRule::Free, from = Derived;
    /// First error code of the session in the window, or `none` if it has no error code. Only the detail table may
    /// have it, because sessions with a code are nearly the sessions that failed.
    ErrorCode: "error_code", family = Error, value = TextRule::Code, from = Beacon;
}

impl Dimension {
    /// The number of dimensions in the table.
    pub const BUILT_IN: usize = TABLE.len();

    /// The number of dimensions, including custom ones.
    pub const COUNT: usize = Self::BUILT_IN + Custom::MOST_SOURCES;

    /// Returns the definition in the table, or `None` for a custom dimension.
    const fn definition(self) -> Option<&'static Definition> {
        match self {
            Self::Custom(_) => None,
            _ => Some(&TABLE[self.index()]),
        }
    }

    /// Returns the name in configurations, JSON beacons and rollups.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Custom(custom) => custom.name(),
            _ => TABLE[self.index()].name,
        }
    }

    /// Returns the description of the dimension.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self.definition() {
            Some(definition) => definition.description.trim_ascii_start(),
            None => "A dimension that the configuration defines.",
        }
    }

    /// Returns the registered custom CMCD key that contains the dimension, or `None` if there is none.
    #[must_use]
    pub fn custom_cmcd_key(self) -> Option<String> {
        self.definition()?.svta.first().map(|name| format!("{}{name}", REGISTERED[0]))
    }

    /// Returns the family of the dimension.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Custom(custom) => custom.family(),
            _ => TABLE[self.index()].family,
        }
    }

    /// Returns the rule by which reported strings are converted to values.
    #[must_use]
    pub const fn rule(self) -> TextRule {
        match self {
            Self::Custom(custom) => custom.rule(),
            _ => TABLE[self.index()].rule,
        }
    }

    /// Returns the value for sessions that do not report this dimension.
    #[must_use]
    pub const fn absent(self) -> &'static str {
        match self {
            Self::ErrorCode => "none",
            _ => "unknown",
        }
    }

    /// Returns true if JSON beacons have a field with the name of the dimension.
    #[must_use]
    pub const fn is_in_beacons(self) -> bool {
        matches!(self.definition(), Some(Definition { from: From::Beacon, .. }))
    }

    /// Returns the built-in dimension with this name, or `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimension_is_found_by_its_name_and_its_number_is_its_index() {
        for (at, dimension) in Dimension::ALL.into_iter().enumerate() {
            assert_eq!(dimension.index(), at);
            assert_eq!(Dimension::named(dimension.name()), Some(dimension));
        }
        assert_eq!(Dimension::named("no_such_dimension"), None);
    }

    #[test]
    fn registered_custom_cmcd_key_gives_its_dimension_and_other_keys_give_none() {
        for (key, dimension) in [
            ("org.svta-p-n", Some(Dimension::Player)),
            ("org.svta.p-v", Some(Dimension::PlayerVersion)),
            ("org.svta-ap-n", Some(Dimension::App)),
            ("org.svta-u-i", None),
            ("p-n", None),
            ("com.example-p-n", None),
        ] {
            assert_eq!(Dimension::of_custom_cmcd(key), dimension, "{key}");
        }
    }

    #[test]
    fn dimensions_of_one_family_are_adjacent_in_the_table() {
        let mut families: Vec<_> = Dimension::ALL.into_iter().map(Dimension::family).collect();
        families.dedup();
        let distinct: std::collections::HashSet<_> = families.iter().collect();
        assert_eq!(distinct.len(), families.len());
    }
}
