use super::*;

#[track_caller]
fn check(rule: Rule, input: &str, expect: &str) {
    let word = match rule.word(input) {
        Word::None => "-".to_owned(),
        Word::Other => "other".to_owned(),
        Word::Redacted => "redacted".to_owned(),
        Word::Is(word) => format!("={word}"),
    };
    assert_eq!(word, expect, "{input}");
}

#[test]
fn closed_catalogues_know_no_case() {
    let rule = Rule::Closed(&catalogue::OS);
    check(rule, "macos", "=macOS");
    check(rule, " FIRE os ", "=Fire OS");
    check(rule, "unknown", "other");
    check(rule, "BeOS", "other");
    check(rule, "", "-");
    check(rule, "  ", "-");
}

#[test]
fn free_text_is_plain_and_short() {
    for kept in
        ["movie-0042", "Tatort: Im Schmerz (2015)", "Ёлки 2", "a/b+c&d", "日本語", "2026-11-21", "12:30:45"]
    {
        check(Rule::Free, kept, &format!("={kept}"));
    }
    check(Rule::Free, &"é".repeat(64), &format!("={}", "é".repeat(64)));
    check(Rule::Free, &"x".repeat(65), "redacted");
    for sign in ["a*b", "*", "a@b.example", "a%20b", "a?b=c", "a\nb", "a\u{200b}b", "a\"b", "🎬"] {
        check(Rule::Free, sign, "redacted");
    }
    for reserved in ["other", "Unknown", "REDACTED"] {
        check(Rule::Free, reserved, "redacted");
    }
}

#[test]
fn free_text_that_may_name_someone_is_redacted() {
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
        check(Rule::Free, text, "redacted");
    }
    for text in
        ["12345678", "999.999.999.999", "1.2.3", "1.2-3.4", "S01:E02:a", "part 1-2-3", "10.2026.1.1.x"]
    {
        check(Rule::Free, text, &format!("={text}"));
    }
}

#[test]
fn versions_are_cut_before_the_scan() {
    check(Rule::Major, "147.0.0.0", "=147");
    check(Rule::Major, "10_15_7", "=10");
    check(Rule::Major, "v11", "=11");
    check(Rule::Major, "XP", "other");
    check(Rule::Major, "1234567", "other");
    check(Rule::MajorMinor, "1.7.4", "=1.7");
    check(Rule::MajorMinor, "5", "=5");
    check(Rule::MajorMinor, "5.x", "=5");
    check(Rule::MajorMinor, "120.0.0.0", "=120.0");
    check(Rule::MajorMinor, "", "-");
    check(Rule::Firmware, "T-KTSU2EUC-1560.5", "=T-KTSU2EUC-1560.5");
    check(Rule::Firmware, "14.5.0.4215-88", "=14.5.0");
    check(Rule::Firmware, "a@b.c", "redacted");
}

#[test]
fn places_are_written_one_way() {
    check(Rule::Country, "de", "=DE");
    check(Rule::Country, "Germany", "=Germany");
    check(Rule::Country, "203.0.113.9", "redacted");
    for asn in ["64500", "AS64500", "as64500", "0064500"] {
        check(Rule::Asn, asn, "=AS64500");
    }
    for none in ["AS", "4294967296", "Example Net", "-1", "+5", "ASAS5"] {
        check(Rule::Asn, none, "redacted");
    }
}
