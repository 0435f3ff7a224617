use crowdfold_model::Dimension::{
    self, Asn, Browser, Cdn, Content, Country, Device, Network, Os, OsVersion, Player, Quality, Region,
};

use super::{FamilyError, breakdown_name, check_families};
use crate::PolicySettings;

fn refused(breakdowns: &[&[Dimension]]) -> String {
    let breakdowns: Vec<_> = breakdowns.iter().map(|breakdown| breakdown.to_vec()).collect();
    check_families(&breakdowns, false).expect_err("refused").to_string()
}

fn accepted(breakdowns: &[&[Dimension]]) {
    let breakdowns: Vec<_> = breakdowns.iter().map(|breakdown| breakdown.to_vec()).collect();
    assert_eq!(check_families(&breakdowns, false), Ok(()));
}

#[test]
fn families_equal_the_documented_table() {
    for (family, dimensions) in [
        ("place", &["country", "region", "asn", "network"][..]),
        ("platform", &["device", "os", "browser", "os_version", "browser_version", "firmware"]),
        ("player", &["player", "player_version", "app", "app_version"]),
        ("stream", &["stream", "format", "content"]),
        ("delivery", &["cdn", "connection", "quality"]),
        ("error", &["error_code"]),
    ] {
        for name in dimensions {
            let dimension = Dimension::named(name).expect("a dimension of the table");
            assert_eq!(dimension.family().name(), family, "{name}");
        }
    }
}

#[test]
fn default_breakdowns_are_accepted() {
    assert_eq!(check_families(&PolicySettings::default().breakdowns, false), Ok(()));
}

#[test]
fn breakdown_may_contain_families_that_no_other_breakdown_contains() {
    accepted(&[&[Country, Device], &[Player]]);
    accepted(&[&[Country, Asn, Region, Device, Os], &[Cdn, Quality]]);
}

#[test]
fn refusal_of_breakdowns_with_a_common_family_names_both_dimensions_and_the_fix() {
    assert_eq!(
        refused(&[&[Country, Asn], &[Player], &[Browser, Region]]),
        "the list of breakdowns contains breakdowns [country, asn] and [browser, region], which both describe the \
         place (country and region), so that the difference between two tables may be a single viewer; put country and \
         region in one breakdown, or remove one of them"
    );
    assert!(refused(&[&[Os], &[Device]]).contains("the platform (os and device)"));
    assert_eq!(
        refused(&[&[Country], &[Asn, Country]]),
        "the list of breakdowns names country twice, in breakdowns [country] and [asn, country], so that the \
         difference between two tables may be a single viewer; remove one"
    );
    assert!(refused(&[&[Country, OsVersion], &[Os]]).contains("os_version and os"));
}

#[test]
fn breakdown_of_content_and_a_small_place_is_refused_in_any_order_unless_allowed() {
    for place in [Region, Asn, Network] {
        for breakdown in [vec![place, Content], vec![Content, place], vec![Content, Device, place]] {
            let error = check_families(std::slice::from_ref(&breakdown), false).expect_err("refused");
            assert!(matches!(&error, FamilyError::ContentBelowPlace { place: named, .. } if *named == place));
            assert!(error.to_string().contains(&format!("remove content or {place}")), "{error}");
            assert_eq!(check_families(&[breakdown], true), Ok(()));
        }
    }
    accepted(&[&[Country, Content], &[Device]]);
    accepted(&[&[Country, Asn], &[Content]]);
}

#[test]
fn duplicate_and_empty_breakdowns_are_refused() {
    assert_eq!(
        refused(&[&[Country], &[Os, Browser, Os]]),
        "the list of breakdowns names os twice in breakdown [os, browser, os]; remove one"
    );
    assert!(
        refused(&[&[Country], &[]])
            .starts_with("the list of breakdowns contains no dimension in breakdown 2;")
    );
    assert!(refused(&[]).starts_with("the list of breakdowns is empty"));
}

#[test]
fn breakdown_name_joins_the_dimensions_with_dots() {
    assert_eq!(breakdown_name(&[Os, Browser]), "os.browser");
}
