use crowdfold_model::{Dimension, NameList, TextRule};
use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(rule: TextRule, input: &str, expect: &str) {
    let word = match word(rule, input, &Scanner::default()) {
        Word::None => "-".to_owned(),
        Word::Other => "other".to_owned(),
        Word::Redacted => "redacted".to_owned(),
        Word::Is(word) => format!("={word}"),
    };
    assert_eq!(word, expect, "{input}");
}

#[test]
fn closed_catalogues_ignore_case() {
    let rule = TextRule::Named(NameList::Systems);
    check(rule, "macos", "=macOS");
    check(rule, " FIRE os ", "=Fire OS");
    check(rule, "unknown", "-");
    check(rule, "BeOS", "other");
    check(rule, "", "-");
    check(rule, "  ", "-");
    let rule = Dimension::Format.rule();
    check(rule, "HLS", "=hls");
    check(rule, "unknown", "other");
}

#[test]
fn error_code_that_is_a_word_for_an_unknown_code_is_other() {
    for word in ["unknown", "UNKNOWN", "Unknown", "other", " Other "] {
        check(TextRule::Code, word, "other");
        check(TextRule::Free, word, "redacted");
    }
    check(TextRule::Code, "redacted", "redacted");
    check(TextRule::Code, "unknown_error", "=unknown_error");
    check(TextRule::Code, "none", "-");
}

#[test]
fn error_code_that_looks_like_an_address_is_redacted() {
    for hresult in ["0x80070005", "0x8004B812", "0xC00D11B1", "-2147024891", "2147942405"] {
        check(TextRule::Code, hresult, "redacted");
    }
    for code in ["E_ACCESSDENIED", "MF_E_TOPO_CODEC_NOT_FOUND", "0x3e9", "1001", "-5", "403"] {
        check(TextRule::Code, code, &format!("={code}"));
    }
}

#[test]
fn null_or_dash_is_absent_under_every_rule() {
    for rule in [
        Dimension::Format.rule(),
        TextRule::Named(NameList::Systems),
        TextRule::Named(NameList::Browsers),
        TextRule::Named(NameList::Devices),
        TextRule::Named(NameList::Connections),
        TextRule::Free,
        TextRule::Region,
        TextRule::Firmware,
        TextRule::Version { parts: 1 },
        TextRule::Version { parts: 2 },
        TextRule::Country,
        TextRule::Asn,
    ] {
        for nothing in [
            "-",
            "\"-\"",
            "'-'",
            "null",
            "\"null\"",
            "NULL",
            "(null)",
            "undefined",
            "\"\"",
            " \"undefined\" ",
        ] {
            check(rule, nothing, "-");
        }
    }
    let ids = PublicIds::new(".*").unwrap();
    assert!(public("null", &ids, &Scanner::default()).is_none());
    check(TextRule::Free, "null island", "=null island");
    check(TextRule::Country, "NA", "=NA");
}

#[test]
fn place_names_may_contain_punctuation_that_other_text_may_not() {
    for name in
        ["Provence-Alpes-Côte d'Azur", "Val-d’Oise", "Washington, D.C.", "'s-Gravenhage", "Bolzano/Bozen"]
    {
        check(TextRule::Region, name, &format!("={name}"));
        check(TextRule::Country, name, &format!("={name}"));
        check(TextRule::Region, &format!(" {name} "), &format!("={name}"));
    }
    check(TextRule::Free, "Val-d'Oise", "redacted");
    for text in [
        "*",
        "other",
        "Unknown",
        "203.0.113.9",
        "jane@host.example",
        "203,0,113,9",
        "call '491701234567'",
        "a\nb",
    ] {
        check(TextRule::Region, text, "redacted");
    }
}

#[test]
fn public_content_ids_may_be_long_numbers_uuids_and_other_characters() {
    let ids = PublicIds::new("[0-9]{8,13}|[0-9a-f-]{36}|[0-9A-Fa-f]{8}|[A-Z].*[?'!]?.*|.*@.*|[0-9.]+|v1st.*")
        .unwrap();
    let scanner = Scanner::new(&["V1StGXR8_Z5jdHi6B-myT".to_owned()]);
    for id in [
        "6038086711001",
        "550e8400-e29b-41d4-a716-446655440000",
        "faec5fc2-ac30-11ea-bb37-0242ac130002",
        "cb00714d",
        "Grey's Anatomy",
        "Who won?",
    ] {
        let word = public(id, &ids, &scanner);
        assert!(matches!(word, Some(Word::Is(word)) if word == id), "{id}");
    }
    for id in [
        "203.0.113.9",
        "jane@host.example",
        "V1StGXR8_Z5jdHi6B-myT",
        "ep-000000123",
        "Unknown",
        "A*B",
        "M@RIE at jane(at)host",
    ] {
        assert!(public(id, &ids, &scanner).is_none(), "{id}");
    }
}

#[test]
fn free_text_with_special_characters_or_over_64_characters_is_redacted() {
    for kept in
        ["movie-0042", "Tatort: Im Schmerz (2015)", "Ёлки 2", "a/b+c&d", "日本語", "2026-11-21", "12:30:45"]
    {
        check(TextRule::Free, kept, &format!("={kept}"));
    }
    check(TextRule::Free, &"é".repeat(64), &format!("={}", "é".repeat(64)));
    check(TextRule::Free, &"x".repeat(65), "redacted");
    for sign in ["a*b", "*", "a@b.example", "a%20b", "a?b=c", "a\nb", "a\u{200b}b", "a\"b", "🎬"] {
        check(TextRule::Free, sign, "redacted");
    }
    for reserved in ["other", "Unknown", "REDACTED"] {
        check(TextRule::Free, reserved, "redacted");
    }
}

#[test]
fn free_text_with_an_address_is_redacted_and_versions_are_kept() {
    for text in [
        "203.0.113.9",
        "edge-203.0.113.9-fra",
        "ec2-203-0-113-9.compute",
        "host_203_0_113_9",
        "٢٠٣.٠.١١٣.٩",
        "call 491701234567",
        "123456789",
        "۱۲۳۴۵۶۷۸۹",
        "2001:db8::1",
        "x 2001:db8:0:0:0:0:0:1 y",
        "fe80::",
        "00:1a:2b:3c:4d:5e",
        "00-1A-2B-3C-4D-5E",
        "mac 00-1A-2B-3C-4D-5E x",
    ] {
        check(TextRule::Free, text, "redacted");
    }
    for text in
        ["12345678", "999.999.999.999", "1.2.3", "1.2-3.4", "S01:E02:a", "part 1-2-3", "10.2026.1.1.x"]
    {
        check(TextRule::Free, text, &format!("={text}"));
    }
}

/// The list contains at least one text for each kind of identifier that consists of permitted characters. The tests
/// of the scanner contain more.
#[test]
fn free_text_with_an_identifier_is_redacted() {
    for text in [
        "203 0 113 77",
        "203/0/113/77",
        "203:0:113:77",
        "203+0+113+77",
        "(203)(0)(113)(77)",
        "203(.)0(.)113(.)77",
        "cb00714d",
        "0xCB00714D",
        "77.311.0.302",
        "2001-db8-77-aa--c4",
        "001a2b3c4d5e",
        "00 1a 2b 3c 4d 5e",
        "MjAzLjAuMTEzLjc3",
        "GIYDGLRQFYYTCMZOG43Q",
        "3230332e302e3131332e3737",
        "jane(at)host",
        "jane(at)mail.example",
        "jane at mail dot example",
        "123 456 789",
        "(123)/456/789",
        "+49 151 12345678",
        "030/12345678",
        "415-555-2671",
        "bbb27941-6c1f-4e0a-9d3b-0123abcd4567",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        "GA1.2.123.456",
        "_ga",
        "52.5200 13.4050",
        "+52.5200/+13.4050",
        "9F4MGC2M+F4",
        "okhttp/4.9.0 ExoPlayerLib/2.18",
    ] {
        for rule in [TextRule::Free, TextRule::Firmware, TextRule::Country] {
            check(rule, text, "redacted");
        }
        check(TextRule::Free, &format!("x {text}"), "redacted");
    }
}

#[test]
fn known_values_are_redacted_in_every_encoding() {
    let scanner = Scanner::new(&["V1StGXR8_Z5jdHi6B-myT".to_owned()]);
    for text in ["V1StGXR8_Z5jdHi6B-myT", "x-v1stgxr8_z5jdhi6b-myt", "VjFTdEdYUjhfWjVqZEhpNkItbXlU"] {
        assert!(matches!(word(TextRule::Free, text, &scanner), Word::Redacted), "{text}");
        check(TextRule::Free, text, &format!("={text}"));
    }
}

proptest! {
    #[test]
    fn scanner_finds_nothing_in_a_dimension_value(parts in prop::collection::vec(
        "[0-9]{1,4}|[ ._:/+()-]|[a-f0-9]{2}|[A-Za-z]{1,3}|203|GA1|at|dot|::|0x|Q==", 1..12,
    )) {
        let raw = parts.concat();
        for rule in [TextRule::Free, TextRule::Firmware, TextRule::Country, TextRule::Version { parts: 1 }, TextRule::Version { parts: 2 }] {
            if let Word::Is(word) = word(rule, &raw, &Scanner::default()) {
                prop_assert_eq!(crowdfold_scan::scan(&word), [], "{} as {:?}", raw, rule);
            }
        }
    }
}

#[test]
fn versions_are_cut_to_their_parts_and_firmware_is_scanned_before_it_is_cut() {
    check(TextRule::Version { parts: 1 }, "147.0.0.0", "=147");
    check(TextRule::Version { parts: 1 }, "10_15_7", "=10");
    check(TextRule::Version { parts: 1 }, "v11", "=11");
    check(TextRule::Version { parts: 1 }, "XP", "other");
    check(TextRule::Version { parts: 1 }, "1234567", "other");
    check(TextRule::Version { parts: 2 }, "1.7.4", "=1.7");
    check(TextRule::Version { parts: 2 }, "5", "=5");
    check(TextRule::Version { parts: 2 }, "5.x", "=5");
    check(TextRule::Version { parts: 2 }, "120.0.0.0", "=120.0");
    check(TextRule::Version { parts: 2 }, "", "-");
    check(TextRule::Firmware, "T-KTSU2EUC-1560.5", "=T-KTSU2EUC-1560.5");
    check(TextRule::Firmware, "14.5.0.4215-88", "=14.5.0");
    check(TextRule::Firmware, "T-KTM2AKUC-1410.5", "=T-KTM2AKUC-1410.5");
    check(TextRule::Firmware, "V0000.01.00I.L1204", "=V0000.01.00I");
    // If these texts were cut first, three octets would remain, which the scanner does not recognise as an address.
    check(TextRule::Firmware, "203.0.113.77", "redacted");
    check(TextRule::Firmware, "v2.203.0.113.77", "redacted");
    check(TextRule::Firmware, "10.9.8.7", "redacted");
    check(TextRule::Firmware, "3.19.9.0", "=3.19.9");
    check(TextRule::Firmware, "1.2.3.build 203-0-113-77", "redacted");
    check(TextRule::Firmware, &format!("1.2.3.{}", "x".repeat(600)), "=1.2.3");
    check(TextRule::Firmware, "a@b.c", "redacted");
}

#[test]
fn country_codes_and_asns_are_normalised() {
    check(TextRule::Country, "de", "=DE");
    check(TextRule::Country, "Germany", "=Germany");
    check(TextRule::Country, "203.0.113.9", "redacted");
    for asn in ["64500", "AS64500", "as64500", "0064500"] {
        check(TextRule::Asn, asn, "=AS64500");
    }
    check(TextRule::Asn, "AS4200000001", "=AS4200000001");
    for none in ["AS", "4294967296", "4294967295", "AS3405803853", "Example Net", "-1", "+5", "ASAS5"] {
        check(TextRule::Asn, none, "redacted");
    }
}
