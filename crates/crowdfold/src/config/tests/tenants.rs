use super::*;

const TWO: &str = "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n";

/// Refused, with these two tenants; lines count from the fourth.
#[track_caller]
fn refused(text: &str, expect: &str) {
    check(&format!("{TWO}{text}"), expect);
}

#[test]
fn what_a_tenant_has_not_of_its_own_it_has_as_all() {
    let text = format!(
        "{TWO}[release]\nk = 30\ndetail_breakdown = [\"cdn\", \"connection\"]\n\
         [release.tenants.acme]\nk = 100\n[release.tenants.beta]\nbreakdowns = [[\"os\"], [\"cdn\"]]\n\
         detail_breakdown = [\"cdn\"]\n"
    );
    let config = config(&text).unwrap();
    let policies = config.policies();
    let values = ["acme", "beta", "else"].map(|tenant| {
        let policy = policies.of(tenant);
        (policy.k(), policy.breakdowns().len(), policy.detail())
    });
    assert_eq!(values, [(100, 5, Some(4)), (30, 2, Some(1)), (30, 5, Some(4))]);
    assert_eq!(config.policy().k(), 30);
    assert_eq!(config.rules().breakdowns.of("beta").len(), 2);
}

#[test]
fn repeated_values_change_nothing() {
    let plain = config(TWO).unwrap();
    let again = config(&format!("{TWO}[release.tenants.acme]\nk = 50\n[release.tenants.beta]\n")).unwrap();
    assert_eq!(again.policies(), plain.policies());
    assert_eq!(again.rules().layout_fingerprint(4, 4), plain.rules().layout_fingerprint(4, 4));
}

#[test]
fn a_tenants_own_is_in_force_and_can_be_loaded_again() {
    let text = format!(
        "{TWO}excluded_from_groupings = [\"beta\"]\n[tenants.attributes.acme]\nindustry = \"news\"\n\
         [release.tenants.beta]\nk = 20\nbreakdowns = [[\"os\"]]\n"
    );
    let first = config(&text).unwrap();
    let shown = first.effective();
    for line in [
        "\n[tenants.attributes]\n\n[tenants.attributes.acme]\nindustry = \"news\" # x.toml:6\n",
        "\n[release.tenants]\n\n[release.tenants.beta]\nbreakdowns = [[\"os\"]] # x.toml:9\nk = 20 # x.toml:8\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let second = config(&shown).unwrap();
    assert_eq!((second.policies(), &second.tenants), (first.policies(), &first.tenants));
    assert_eq!(first.tenants.attributes["acme"]["industry"], "news");
    assert!(first.tenants.may_be_grouped("acme") && !first.tenants.may_be_grouped("beta"));
    assert!(!first.tenants.may_be_grouped("else"));
}

#[test]
fn the_environment_reaches_what_a_tenant_has_of_its_own() {
    let config = from_environment(&[
        ("CROWDFOLD_RELEASE__TENANTS__DEFAULT__K", "70"),
        ("CROWDFOLD_RELEASE__TENANTS__DEFAULT__BREAKDOWNS", "[[\"country\"], [\"os\"]]"),
        ("CROWDFOLD_TENANTS__ATTRIBUTES__DEFAULT__PLAN", "pro"),
        ("CROWDFOLD_TENANTS__EXCLUDED_FROM_GROUPINGS", "default"),
    ])
    .unwrap();
    let own = config.policies().of("default");
    assert_eq!((own.k(), own.breakdowns().len()), (70, 2));
    assert_eq!(config.tenants.attributes["default"]["plan"], "pro");
    assert_eq!(config.tenants.excluded_from_groupings, ["default"]);
    for (name, expect) in [
        (
            "CROWDFOLD_RELEASE__TENANTS__DEFAULT__KK",
            "CROWDFOLD_RELEASE__TENANTS__DEFAULT__KK: release.tenants.default.kk: unknown key; did you mean \
             CROWDFOLD_RELEASE__TENANTS__DEFAULT__K?",
        ),
        (
            "CROWDFOLD_RELEASE__TENANTS__DEFALT__K",
            "CROWDFOLD_RELEASE__TENANTS__DEFALT__K: release.tenants.defalt: is no tenant of tenants.names; did you \
             mean default?",
        ),
    ] {
        assert_eq!(from_environment(&[(name, "20")]).err().unwrap().to_string(), expect);
    }
}

#[test]
fn a_tenants_policy_is_held_to_the_same_rules_by_its_own_keys() {
    refused(
        "[release.tenants.acme]\nk = 9\n",
        "x.toml:5: release.tenants.acme.k is 9, and a group of fewer than 10 sessions is hardly a crowd: raise \
         release.tenants.acme.k to 10 or more, or set release.allow_small_k = true",
    );
    assert!(config("[release]\nallow_small_k = true\n[release.tenants.default]\nk = 2\n").is_ok());
    refused(
        "[release.tenants.acme]\nbreakdowns = [[\"country\"], [\"asn\", \"os\"]]\n",
        "x.toml:5: release.tenants.acme.breakdowns: breakdowns [country] and [asn, os] both tell of the place (country \
         and asn): two tables that know the same thing can be subtracted from each other, and what is left may be a \
         single viewer; put country and asn in one breakdown, or take one of them out of \
         release.tenants.acme.breakdowns",
    );
    // of two tenants they are no two tables of the same sessions
    let apart = "[release.tenants.acme]\nbreakdowns = [[\"country\", \"os\"]]\n[release.tenants.beta]\n\
                 breakdowns = [[\"os\", \"country\"]]\n";
    assert!(config(&format!("{TWO}{apart}")).is_ok());
    refused(
        "[release.tenants.beta]\nbreakdowns = [[\"network\"]]\n",
        "x.toml:5: release.tenants.beta.breakdowns: names network, of which address.policy = \"strip\" keeps nothing: \
         take it out, or truncate",
    );
    refused(
        "[content]\npolicy = \"drop\"\n[release]\nbreakdowns = [[\"os\"]]\n[release.tenants.beta]\nbreakdowns = \
         [[\"content\"]]\n",
        "x.toml:9: content.policy = \"drop\" lets no content in, but release.tenants.beta.breakdowns names content: give \
         them without it, or keep content",
    );
    refused(
        "[release]\ndetail_breakdown = [\"cdn\", \"connection\"]\n[release.tenants.acme]\nbreakdowns = [[\"os\"]]\n",
        "x.toml:7: release.tenants.acme.breakdowns: lacks the one that release.detail_breakdown names; add it, or \
         name one of these in release.tenants.acme.detail_breakdown",
    );
    refused(
        "[release.tenants.acme]\ndetail_breakdown = [\"os\"]\n",
        "x.toml:5: release.tenants.acme.detail_breakdown: is not one of release.breakdowns; name one exactly as it \
         is listed there, \"last\" or \"none\"",
    );
    refused(
        "[release]\npolicy = \"differential-privacy\"\nbreakdowns = [[\"os\"]]\n[release.privacy]\nepsilon = 0.00002\n\
         secret_file = \"/x\"\n[ttl]\nbeacons = \"3h\"\n[release.tenants.acme]\nbreakdowns = [[\"os\"], \
         [\"cdn\"], [\"device\"], [\"country\"], [\"asn\"]]\n",
        "x.toml:13: release.tenants.acme.breakdowns: release.privacy.epsilon is 2e-5, and spread over 120 tables a day it \
         asks for rows of 15836832 sessions, so nothing would ever be released: raise it, or take longer windows or fewer breakdowns",
    );
}

#[test]
fn the_detail_table_of_a_tenant_is_its_own_last_unless_it_names_another() {
    let detail = |text: &str| {
        let config = config(&format!("{TWO}{text}")).unwrap();
        ["acme", "beta"].map(|tenant| config.policies().of(tenant).detail())
    };
    assert_eq!(detail(""), [Some(4), Some(4)]);
    assert_eq!(detail("[release.tenants.beta]\nbreakdowns = [[\"os\"], [\"cdn\"]]\n"), [Some(4), Some(1)]);
    assert_eq!(detail("[release.tenants.beta]\ndetail_breakdown = \"none\"\n"), [Some(4), None]);
    assert_eq!(
        detail(
            "[release]\ndetail_breakdown = \"none\"\n[release.tenants.beta]\ndetail_breakdown = \"last\"\n"
        ),
        [None, Some(4)]
    );
}

#[test]
fn the_margin_follows_each_tenants_k_and_is_refused_above_half_of_it() {
    let margins = |text: &str| {
        let config = config(&format!("{TWO}{text}")).unwrap();
        ["acme", "beta"].map(|tenant| config.policies().of(tenant).margin())
    };
    assert_eq!(margins("[release.tenants.beta]\nk = 15\n"), [10, 7]);
    assert_eq!(margins("[release]\nmargin = 20\n[release.tenants.beta]\nk = 40\n"), [20, 20]);
    refused(
        "[release]\nmargin = 20\n[release.tenants.beta]\nk = 30\n",
        "x.toml:7: release.tenants.beta.k: release.margin is 20, above half of release.tenants.beta.k, which is 30; set 1 \
         to 15",
    );
}

#[test]
fn sections_of_tenants_that_are_none_are_refused() {
    for section in ["release.tenants", "tenants.attributes"] {
        for keys in ["", "k = 20\n"] {
            refused(
                &format!("[{section}.acne]\n{keys}"),
                &format!("x.toml:4: {section}.acne: is no tenant of tenants.names; did you mean acme?")
                    .replace(":4", if keys.is_empty() { ":4" } else { ":5" }),
            );
        }
    }
    refused(
        "[release.tenants]\nacme = 5\n",
        "x.toml:5: release.tenants.acme: found a whole number, but this is a section: write [release.tenants.acme] and \
         its keys",
    );
    refused(
        "[release.tenants.acme]\nguard_networks = 5\n",
        "x.toml:5: release.tenants.acme.guard_networks: unknown key; a tenant may have of its own: k, breakdowns, \
         detail_breakdown",
    );
    refused(
        "[release.tenants.acme]\ndrildowns = [[\"os\"]]\n",
        "x.toml:5: release.tenants.acme.breakdowms: unknown key; did you mean release.tenants.acme.breakdowns?",
    );
    refused(
        "[release.tenants.acme.privacy]\nepsilon = 1\n",
        "x.toml:5: release.tenants.acme.privacy.epsilon: unknown key; a tenant may have of its own: k, breakdowns, \
         detail_breakdown",
    );
}

#[test]
fn attributes_are_words_that_cannot_be_taken_for_anything_else() {
    let attribute = |line: &str| format!("[tenants.attributes.acme]\n{line}\n");
    refused(
        &attribute("device = \"tv\""),
        "x.toml:5: tenants.attributes.acme.device: is a dimension, and a reader could not tell which is meant: name it \
         otherwise",
    );
    for name in ["Industry", "1st", "tenant", "\"a b\""] {
        let bare = name.trim_matches('"');
        refused(
            &attribute(&format!("{name} = \"news\"")),
            &format!(
                "x.toml:5: tenants.attributes.acme.{bare}: want a name of 1 to 40 of a-z, 0-9 and _, from a letter on, \
                 and none of tenant, tenants, from, to, windows"
            ),
        );
    }
    refused(
        &attribute("plan = 3"),
        "x.toml:5: tenants.attributes.acme.plan: found a whole number 3, want a string of 1 to 64 characters on one \
         line",
    );
    refused(
        &attribute("plan = \"\""),
        "x.toml:5: tenants.attributes.acme.plan: found a string \"\", want a string of 1 to 64 characters on one line",
    );
    refused(
        "[tenants.attributes.acme.plan]\nname = \"pro\"\n",
        "x.toml:5: tenants.attributes.acme.plan.name: unknown key; an attribute is one word, without a dot",
    );
    check(
        "[tenants]\nexcluded_from_groupings = [\"defalt\"]\n",
        "x.toml:2: tenants.excluded_from_groupings: \"defalt\" is not in tenants.names; did you mean default?",
    );
}
