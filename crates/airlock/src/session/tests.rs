use super::{CONSTANTS, LONGEST_CONSTANT, is_constant};

#[test]
fn placeholder_that_many_players_send_is_not_a_session_id() {
    for id in [
        "",
        " ",
        "null",
        "NULL",
        "undefined",
        "0",
        "000",
        "0.0",
        "-",
        "none",
        "NaN",
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-ffff-ffff-ffff-ffffffffffff",
        "[object Object]",
        "-1",
    ] {
        assert!(is_constant(id), "{id}");
    }
}

#[test]
fn text_that_is_not_a_constant_is_a_session_id() {
    for id in ["a", "1", "10", "s-1", "nullable", "00000000-0000-0000-0000-000000000001", "f", "ffff", "🎬"]
    {
        assert!(!is_constant(id), "{id}");
    }
}

#[test]
fn no_constant_is_longer_than_the_length_limit() {
    assert_eq!(CONSTANTS.iter().map(|constant| constant.len()).max(), Some(LONGEST_CONSTANT));
}
