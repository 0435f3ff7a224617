//! The closed catalogues. The catalogues of browsers, systems and devices are in `client::names`.

/// The classes of `quality`. Each class has a maximum height in pixels, and an upper limit of the bitrate in kbit/s.
/// The bitrate must be below this limit.
const QUALITY: [(&str, u64, u64); 8] = [
    ("240p", 240, 400),
    ("360p", 360, 800),
    ("480p", 480, 1_600),
    ("576p", 576, 0),
    ("720p", 720, 3_500),
    ("1080p", 1_080, 7_000),
    ("1440p", 1_440, 14_000),
    ("2160p", u64::MAX, u64::MAX),
];

/// Returns the class for a height of the picture in pixels.
pub(crate) fn quality_of_height(height: u64) -> &'static str {
    QUALITY.iter().find(|(_, up_to, _)| height <= *up_to).map_or("2160p", |(name, ..)| name)
}

/// Returns the class for a bitrate in kbit/s, which is used if a beacon has no height. No bitrate belongs to the class
/// 576p.
pub(crate) fn quality_of_bitrate(kbps: u64) -> &'static str {
    QUALITY.iter().find(|(.., below)| kbps < *below).map_or("2160p", |(name, ..)| name)
}

/// Returns the entry of a catalogue that equals a value if case is ignored. Returns `None` if there is no such entry.
pub(crate) fn named(catalogue: &'static [&'static str], raw: &str) -> Option<&'static str> {
    catalogue.iter().find(|name| name.eq_ignore_ascii_case(raw)).copied()
}

#[cfg(test)]
mod tests;
