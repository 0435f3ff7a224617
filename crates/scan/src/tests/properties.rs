//! Tests with random identifiers of each kind, and with random text.

use proptest::prelude::{any, prop};
use proptest::sample::select;
use proptest::{prop_assert, prop_assert_eq, prop_assume, proptest};

use super::encodings::percent;
use super::*;

const SEPARATORS: [&str; 22] = [
    ".", "-", "_", " ", "/", ":", "+", "(", ")", "[", "]", ", ", " . ", "[.]", "(.)", ")(", "][", " / ",
    " + ", " : ", "(dot)", " dot ",
];

proptest! {
    #[test]
    fn every_address_is_found_at_any_position(
        bits in any::<u32>(),
        separator in select(&SEPARATORS[..]),
        before in "[a-z ]{0,5}",
        after in "[a-z ]{0,5}",
    ) {
        let octets = bits.to_be_bytes().map(|octet| octet.to_string()).join(separator);
        let text = format!("{before}{octets}{after}");
        prop_assert!(scan(&text).contains(&(I::Address, W::Plain)), "{}", text);
    }

    #[test]
    fn every_v6_address_is_found_between_dots_or_colons(
        bits in any::<u128>(),
        before in "([a-z0-9]{1,5}[.:])?",
        after in "([.:][a-z]{1,5})?",
    ) {
        let text = format!("{before}{}{after}", std::net::Ipv6Addr::from_bits(bits));
        prop_assert!(scan(&text).iter().any(|(kind, _)| *kind == I::Address), "{}", text);
    }

    #[test]
    fn every_hardware_address_is_found(bytes in any::<[u8; 6]>(), separator in select(&["", ":", "-", ".", " ", "_"][..])) {
        let text = bytes.map(|byte| format!("{byte:02x}")).join(separator);
        // Twelve letters without a digit are a word.
        prop_assume!(!separator.is_empty() || text.bytes().any(|byte| byte.is_ascii_digit()));
        let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
        prop_assume!(has_digit || [":", "-"].contains(&separator));
        prop_assert!(!scan(&text).is_empty(), "{}", text);
    }

    #[test]
    fn every_long_number_in_groups_is_found(
        groups in prop::collection::vec(100_u32..1_000, 3..6),
        separator in select(&[" ", "/", ":", "+", ")(", "-", "] [", ", "][..]),
    ) {
        let text = groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator);
        prop_assert!(!scan(&text).is_empty(), "{}", text);
    }

    #[test]
    fn every_international_phone_number_is_found(
        country in 1_u32..1_000,
        number in prop::collection::vec("[0-9]{2,4}", 3..4),
        separator in select(&[" ", "-", ".", "/", " (", ") "][..]),
    ) {
        let text = format!("+{country}{separator}{}", number.join(separator));
        prop_assert!(!scan(&text).is_empty(), "{}", text);
    }

    #[test]
    fn every_pair_of_coordinates_is_found(
        latitude in -89.0..89.0_f64,
        longitude in -179.0..179.0_f64,
        separator in select(&[",", ", ", " ", ";", "/", ":", "_"][..]),
        decimals in 3..7_usize,
    ) {
        let text = format!("{latitude:.decimals$}{separator}{longitude:.decimals$}");
        prop_assert!(scan(&text).contains(&(I::Coordinates, W::Plain)), "{}", text);
    }

    #[test]
    fn every_digest_and_every_ulid_is_found(bytes in any::<[u8; 32]>(), time in 0_u64..1 << 48) {
        let digest: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        prop_assert!(scan(&digest).contains(&(I::Hash, W::Plain)), "{}", digest);
        let letters = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let letter = |value: u64| char::from(letters[(value & 31) as usize]);
        let ulid: String = (0..10).rev().map(|at| letter(time >> (5 * at)))
            .chain(bytes[..16].iter().map(|byte| letter(u64::from(*byte)))).collect();
        prop_assume!(ulid.bytes().any(|byte| byte.is_ascii_alphabetic()));
        prop_assert!(!scan(&ulid).is_empty(), "{}", ulid);
    }

    #[test]
    fn address_in_base64_or_base32_is_found_at_any_offset(bits in any::<u32>(), shift in 0..5_usize) {
        let address = std::net::Ipv4Addr::from_bits(bits).to_string();
        let bytes = [&b"\x01\x02\x03\x04"[..shift.min(4)], address.as_bytes()].concat();
        for text in [base64(&bytes), base32(&bytes), base32(&bytes).to_lowercase()] {
            prop_assert!(scan(&text).iter().any(|(kind, _)| *kind == I::Address), "{} {}", address, text);
        }
    }

    #[test]
    fn scan_of_any_text_does_not_panic(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = scan(&text);
        let _ = scan(&String::from_utf8_lossy(&bytes));
        let _ = scan(&percent(&text));
    }

    #[test]
    fn words_without_digits_are_clean(text in "[g-z]{1,12}( [g-z]{1,12}){0,4}") {
        prop_assume!(!text.contains(" at ") && !text.contains(" dot "));
        prop_assert_eq!(scan(&text), []);
    }

    #[test]
    fn versions_of_three_parts_are_clean(parts in any::<[u8; 3]>(), name in "[a-z]{0,8} ?v?") {
        prop_assume!(parts.iter().map(|part| part.to_string().len()).sum::<usize>() < 9);
        prop_assume!(!name.starts_with("tel") && !name.starts_with("fax"));
        let text = format!("{name}{}", parts.map(|part| part.to_string()).join("."));
        prop_assert_eq!(scan(&text), []);
    }

    #[test]
    fn dated_names_are_clean(
        name in "[g-z]{1,8}", number in 0..10_000_u32,
        year in 1990..2040_u32, month in 1..13_u32, day in 1..29_u32, hour in 0..24_u32, minute in 0..60_u32,
    ) {
        for text in [
            format!("{name}-{number:04}"),
            format!("{name}-{year}-{month:02}-{day:02}"),
            format!("{name}-{number:04}-{year}-{month:02}-{day:02}"),
            format!("{name} {year}-{month:02}-{day:02} {hour:02}:{minute:02}"),
            format!("{name} {day:02}.{month:02}.{year} {hour:02}:{minute:02}"),
            format!("{year}{month:02}{day:02}-{hour:02}{minute:02} {name}"),
        ] {
            prop_assert_eq!(scan(&text), [], "{}", text);
        }
    }
}
