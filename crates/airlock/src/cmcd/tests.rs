use super::*;

#[test]
fn error_codes_of_players_are_classified() {
    for (code, name) in [
        ("27", "network"),
        ("25", "manifest"),
        ("111", "drm"),
        ("1001", "network"),
        ("1003", "timeout"),
        ("3016", "media"),
        ("4001", "manifest"),
        ("6007", "drm"),
        ("404", "network"),
        ("504", "timeout"),
        ("7000", "other"),
        ("-5", "other"),
        ("manifestLoadError", "manifest"),
        ("levelLoadTimeOut", "timeout"),
        ("fragLoadError", "network"),
        ("fragParsingError", "media"),
        ("keySystemNoAccess", "drm"),
        ("bufferAppendError", "media"),
        ("MEDIA_ERR_DECODE", "media"),
        ("MEDIA_ERR_NETWORK", "network"),
        ("strange", "other"),
    ] {
        assert_eq!(class(code).name(), name, "{code}");
    }
}
