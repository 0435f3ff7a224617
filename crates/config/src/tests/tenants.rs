use super::*;
use crate::{DetailTable, TenantRelease};

#[test]
fn tenant_that_is_not_in_tenants_names_is_refused() {
    check("[tenants]\nnames = []\n", "x.toml:2: tenants.names names 0 tenants; name 1 to 10000");
    check(
        "[tenants]\nnames = [\"Acme\"]\n",
        "x.toml:2: tenants.names contains \"Acme\"; a tenant is 1 to 40 of a-z, 0-9 and -",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"acme\"]\n",
        "x.toml:2: tenants.names contains acme twice; remove one",
    );
    check(
        "[consent.child_directed]\ntenants = [\"defalt\"]\n",
        "x.toml:2: consent.child_directed.tenants contains \"defalt\", which is not in tenants.names; did you mean default?",
    );
    check(
        "[tenants]\nexcluded_from_groupings = [\"defalt\"]\n",
        "x.toml:2: tenants.excluded_from_groupings contains \"defalt\", which is not in tenants.names; did you mean default?",
    );
    check(
        "[principals.tenants]\ndefalt = \"r\"\n",
        "x.toml:2: principals.tenants.defalt is not a tenant of tenants.names; did you mean default?",
    );
}

const TWO: &str = "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n";

/// Asserts that a configuration file is refused with this message. The first three lines of the file name two tenants,
/// so `text` begins in line 4.
#[track_caller]
fn check_two(text: &str, expect: &str) {
    check(&format!("{TWO}{text}"), expect);
}

#[test]
fn section_of_an_unknown_tenant_is_refused() {
    for (section, keys) in [
        ("release.tenants", "k = 20\n"),
        ("tenants.attributes", "plan = \"pro\"\n"),
        ("quality.tenants", "bitrate = 1000\n"),
    ] {
        for keys in ["", keys] {
            check_two(
                &format!("[{section}.acne]\n{keys}"),
                &format!("x.toml:4: {section}.acne is not a tenant of tenants.names; did you mean acme?"),
            );
        }
    }
    check_two(
        "[release.tenants.zzzz]\nk = 20\n",
        "x.toml:4: release.tenants.zzzz is not a tenant of tenants.names; add it there",
    );
}

#[test]
fn value_of_a_tenant_must_have_the_type_and_range_of_the_common_value() {
    for (line, expect) in [
        ("k = \"many\"", "k is \"many\"; set it to a whole number from 1 to 1000000"),
        (
            "breakdowns = [\"os\"]",
            "breakdowns is [\"os\"]; set it to a list of lists, such as [[\"country\", \"asn\"], [\"os\", \"browser\"]]",
        ),
        ("detail_breakdown = 3", "detail_breakdown is 3; set it to \"last\", \"none\" or a list of strings"),
    ] {
        check_two(
            &format!("[release.tenants.acme]\n{line}\n"),
            &format!("x.toml:5: release.tenants.acme.{expect}"),
        );
    }
}

#[test]
fn attribute_with_an_invalid_name_or_value_is_refused() {
    let attribute = |line: &str| format!("[tenants.attributes.acme]\n{line}\n");
    for name in ["Industry", "1st", "tenant", "\"a b\"", "\"a.b\""] {
        let bare = name.trim_matches('"');
        check_two(
            &attribute(&format!("{name} = \"news\"")),
            &format!(
                "x.toml:5: tenants.attributes.acme.{bare} is not a valid attribute; use 1 to 40 of a-z, 0-9 and _, starting \
                 with a letter, and none of tenant, tenants, from, to, windows"
            ),
        );
    }
    check_two(&attribute("plan = 3"), "x.toml:5: tenants.attributes.acme.plan is 3; set it to a string");
    check_two(
        &attribute("plan = \"\""),
        "x.toml:5: tenants.attributes.acme.plan is \"\"; set it to a string of 1 to 64 characters on one line",
    );
    check_two(
        &attribute("plan = { name = \"pro\" }"),
        "x.toml:5: tenants.attributes.acme.plan is written as a section; set it to a string",
    );
}

#[test]
fn effective_settings_of_tenants_can_be_loaded_again() {
    let text = format!(
        "{TWO}excluded_from_groupings = [\"beta\"]\n[tenants.attributes.acme]\nindustry = \"news\"\n\
         [release.tenants.beta]\nk = 20\nbreakdowns = [[\"os\"]]\n"
    );
    let first = load(&text).unwrap();
    let shown = first.effective();
    for line in [
        "\n[tenants.attributes]\n\n[tenants.attributes.acme]\nindustry = \"news\" # x.toml:6\n",
        "\n[release.tenants]\n\n[release.tenants.beta]\nk = 20 # x.toml:8\nbreakdowns = [[\"os\"]] # x.toml:9\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let second = load(&shown).unwrap();
    assert_eq!(second.settings, first.settings);
    let tenants = &first.settings.tenants;
    assert_eq!(tenants.grouped_by("industry").collect::<Vec<_>>(), [("acme", "news")]);
    assert!(tenants.may_be_grouped("acme") && !tenants.may_be_grouped("beta"));
    assert!(!tenants.may_be_grouped("other"));
    assert_eq!(tenants.default_index(), 0);
}

#[test]
fn environment_variable_can_set_a_key_of_a_tenant() {
    let loaded = load_environment(&[
        ("CROWDFOLD_RELEASE__TENANTS__DEFAULT__K", "70"),
        ("CROWDFOLD_RELEASE__TENANTS__DEFAULT__BREAKDOWNS", "[[\"country\"], [\"os\"]]"),
        ("CROWDFOLD_RELEASE__TENANTS__DEFAULT__DETAIL_BREAKDOWN", "[\"os\"]"),
        ("CROWDFOLD_TENANTS__ATTRIBUTES__DEFAULT__PLAN", "42"),
        ("CROWDFOLD_TENANTS__EXCLUDED_FROM_GROUPINGS", "default"),
    ])
    .unwrap();
    let settings = &loaded.settings;
    let own = TenantRelease {
        k: Some(70),
        breakdowns: Some(vec![vec!["country".into()], vec!["os".into()]]),
        detail_breakdown: Some(DetailTable::Breakdown(vec!["os".into()])),
    };
    assert_eq!(settings.release.tenants["default"], own);
    assert_eq!(settings.tenants.attributes["default"]["plan"], "42");
    assert_eq!(settings.tenants.excluded_from_groupings, ["default"]);
    assert!(loaded.is_given("release.tenants.default.k") && !loaded.is_given("release.k"));
    for (name, expect) in [
        (
            "CROWDFOLD_RELEASE__TENANTS__DEFAULT__KK",
            "release.tenants.default.kk is not a known key; did you mean CROWDFOLD_RELEASE__TENANTS__DEFAULT__K?",
        ),
        (
            "CROWDFOLD_RELEASE__TENANTS__DEFALT__K",
            "release.tenants.defalt is not a tenant of tenants.names; did you mean default?",
        ),
        (
            "CROWDFOLD_RELEASE__TENANTS__DEFAULT",
            "release.tenants.default is set to a string, but it is a section; write [release.tenants.default] and its keys",
        ),
    ] {
        let error = load_environment(&[(name, "20")]).err().unwrap();
        assert_eq!(error.to_string(), format!("{name}: {expect}"));
    }
}
