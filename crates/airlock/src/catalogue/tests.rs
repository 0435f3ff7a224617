use super::*;
use crowdfold_model::{Dimension, TextRule};

#[test]
fn height_determines_the_quality_class() {
    let ladder = [(0, "240p"), (240, "240p"), (241, "360p"), (480, "480p"), (481, "576p"), (577, "720p")];
    for (height, class) in ladder.into_iter().chain([(1_080, "1080p"), (1_440, "1440p"), (1_441, "2160p")]) {
        assert_eq!(quality_of_height(height), class, "{height}");
    }
}

#[test]
fn bitrate_determines_the_quality_class() {
    let ladder = [(0, "240p"), (399, "240p"), (400, "360p"), (800, "480p"), (1_599, "480p"), (1_600, "720p")];
    for (kbps, class) in
        ladder.into_iter().chain([(3_500, "1080p"), (7_000, "1440p"), (13_999, "1440p"), (14_000, "2160p")])
    {
        assert_eq!(quality_of_bitrate(kbps), class, "{kbps}");
    }
}

#[test]
fn catalogues_have_no_duplicates() {
    let closed = Dimension::ALL.into_iter().filter_map(|dimension| match dimension.rule() {
        TextRule::Closed(words) => Some(words),
        _ => None,
    });
    for catalogue in closed {
        for (index, name) in catalogue.iter().enumerate() {
            assert_eq!(catalogue.iter().position(|other| other.eq_ignore_ascii_case(name)), Some(index));
        }
    }
}
