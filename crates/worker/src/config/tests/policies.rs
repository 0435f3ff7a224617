use super::*;

const TWO: &str = "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n";

/// Asserts that the configuration file `TWO` + `text` is refused with this message. `TWO` has three lines and names two
/// tenants, so `text` begins in line 4.
#[track_caller]
fn check_two(text: &str, expect: &str) {
    check(&format!("{TWO}{text}"), expect);
}

#[test]
fn release_settings_that_do_not_protect_sessions_are_refused() {
    for (line, expect) in [
        (
            "k = 9",
            "k is 9, but a row must cover at least 10 sessions; raise k to 10 or more, or set release.allow_small_k = true for \
             trials",
        ),
        (
            "breakdowns = []",
            "breakdowns is empty, so no row would ever be released; name at least one, such as [\"country\"]",
        ),
        (
            "breakdowns = [[\"contry\"]]",
            "breakdowns names \"contry\", which is not a dimension; did you mean country?",
        ),
        ("breakdowns = [[\"os\", \"os\"]]", "breakdowns names os twice in breakdown [os, os]; remove one"),
        (
            "breakdowns = [[\"os\"], []]",
            "breakdowns contains no dimension in breakdown 2; name one, or remove the breakdown",
        ),
        (
            "breakdowns = [[\"country\"], [\"asn\", \"os\"]]",
            "breakdowns contains breakdowns [country] and [asn, os], which both describe the place (country and asn), so \
             that the difference between two tables may be a single viewer; put country and asn in one breakdown, or \
             remove one of them",
        ),
        (
            "breakdowns = [[\"asn\", \"content\"]]",
            "breakdowns combines content with asn in breakdown [asn, content]: a content id can name its uploader, and \
             asn locates its few viewers; remove content or asn, or set content.allow_below_place = true",
        ),
        (
            "breakdowns = [[\"error_code\"], [\"os\"]]",
            "breakdowns contains error_code in breakdown [error_code], which is not the detail table, but sessions with \
             a code are nearly the sessions that failed; remove error_code, or name the breakdown in \
             release.detail_breakdown",
        ),
        (
            "detail_breakdown = [\"os\"]",
            "detail_breakdown is not a breakdown of release.breakdowns; write one exactly as it is listed there, or set \
             the key to \"last\" or \"none\"",
        ),
        (
            "detail_breakdown = [\"colour\"]",
            "detail_breakdown names \"colour\", which is not a dimension; the dimensions are ",
        ),
        (
            "margin = 26",
            "margin is 26, above half of release.k, which is 50; set the margin to a value from 1 to 25",
        ),
        (
            "margin = 0",
            "margin is 0, so that small groups can be computed to within a few sessions; set it to 1 or more, or set \
             release.allow_small_k = true for trials",
        ),
    ] {
        let message =
            config(&format!("[release]\n{line}\n")).err().unwrap_or_else(|| panic!("accepted: {line}"));
        let expect = format!("x.toml:2: release.{expect}");
        assert!(message == expect || expect.ends_with("are ") && message.starts_with(&expect), "{message}");
    }
    let long = format!("breakdowns = [[{}]]", ["\"os\""; 40].join(", "));
    let message = config(&format!("[release]\n{long}\n")).err().unwrap();
    assert!(
        message.contains("release.breakdowns contains a breakdown of 40 dimensions; give at most"),
        "{message}"
    );
}

#[test]
fn differential_privacy_is_refused_with_settings_that_its_noise_does_not_cover() {
    let rest = "[ttl]\nbeacons = \"3h\"\n[release.privacy]\nsecret_file = \"/s\"\n";
    let with = |lines: &str| format!("[release]\npolicy = \"differential-privacy\"\n{lines}{rest}");
    assert!(config(&with("breakdowns = [[\"os\"], [\"os\", \"browser\"], [\"country\", \"os\"]]\n")).is_ok());
    check(
        &with("min_networks = 5\n"),
        "x.toml:3: release.min_networks is 5, but one session can decide whether a row meets it, and no noise hides \
         that; set it to 0, or release.policy to \"threshold\"",
    );
    check(
        &with("breakdowns = [[\"os\"], [\"os\"]]\n"),
        "x.toml:3: release.breakdowns contains breakdown [os] twice; remove one",
    );
    check(
        &with("k = 5\n"),
        "x.toml:3: release.k is 5, but a row must cover at least 10 sessions; raise k to 10 or more, or set \
         release.allow_small_k = true for trials",
    );
    let message = config(&format!("{}epsilon = 1e-5\n", with(""))).err().unwrap();
    assert!(
        message.starts_with(
            "x.toml:7: release.privacy.epsilon is 1e-5, and 120 tables a day share it, so only rows of at least"
        ) && message.ends_with("raise epsilon, or use longer windows or fewer breakdowns"),
        "{message}"
    );
}

#[test]
fn setting_that_a_tenant_does_not_set_has_the_common_value() {
    let text = format!(
        "{TWO}[release]\nk = 30\ndetail_breakdown = [\"cdn\", \"connection\"]\n\
         [release.tenants.acme]\nk = 100\n[release.tenants.beta]\nbreakdowns = [[\"os\"], [\"cdn\"]]\n\
         detail_breakdown = [\"cdn\"]\n"
    );
    let config = config(&text).unwrap();
    let policies = config.policies();
    let found = ["acme", "beta", "other"].map(|tenant| {
        let policy = policies.of(tenant);
        (policy.k(), policy.breakdowns().len(), policy.detail())
    });
    assert_eq!(found, [(100, 5, Some(4)), (30, 2, Some(1)), (30, 5, Some(4))]);
    assert_eq!(config.policy().k(), 30);
    assert_eq!(config.rules().breakdowns.of("beta").len(), 2);
}

#[test]
fn policy_and_layout_do_not_change_if_a_tenant_repeats_the_common_value() {
    let plain = config(TWO).unwrap();
    let again = config(&format!("{TWO}[release.tenants.acme]\nk = 50\n[release.tenants.beta]\n")).unwrap();
    assert_eq!(again.policies(), plain.policies());
    assert_eq!(again.rules().layout_fingerprint(4, 4), plain.rules().layout_fingerprint(4, 4));
}

#[test]
fn environment_variables_can_set_the_policy_of_a_tenant() {
    let config = from_environment(&[
        ("CROWDFOLD_RELEASE__TENANTS__DEFAULT__K", "70"),
        ("CROWDFOLD_RELEASE__TENANTS__DEFAULT__BREAKDOWNS", "[[\"country\"], [\"os\"]]"),
    ])
    .unwrap();
    let own = config.policies().of("default");
    assert_eq!((own.k(), own.breakdowns().len()), (70, 2));
}

#[test]
fn error_in_the_policy_of_a_tenant_names_the_key_in_the_section_of_the_tenant() {
    check_two(
        "[release.tenants.acme]\nk = 9\n",
        "x.toml:5: release.tenants.acme.k is 9, but a row must cover at least 10 sessions; raise k to 10 or more, or set \
         release.allow_small_k = true for trials",
    );
    assert!(config("[release]\nallow_small_k = true\n[release.tenants.default]\nk = 2\n").is_ok());
    check_two(
        "[release.tenants.acme]\nbreakdowns = [[\"country\"], [\"asn\", \"os\"]]\n",
        "x.toml:5: release.tenants.acme.breakdowns contains breakdowns [country] and [asn, os], which both describe the \
         place (country and asn), so that the difference between two tables may be a single viewer; put country and asn \
         in one breakdown, or remove one of them",
    );
    // two tenants may publish the same dimensions, because their tables contain different sessions
    let apart = "[release.tenants.acme]\nbreakdowns = [[\"country\", \"os\"]]\n[release.tenants.beta]\n\
                 breakdowns = [[\"os\", \"country\"]]\n";
    assert!(config(&format!("{TWO}{apart}")).is_ok());
    check_two(
        "[release]\ndetail_breakdown = [\"cdn\", \"connection\"]\n[release.tenants.acme]\nbreakdowns = [[\"os\"]]\n",
        "x.toml:7: release.tenants.acme.breakdowns does not contain the breakdown that release.detail_breakdown names; \
         add it, or set release.tenants.acme.detail_breakdown",
    );
    check_two(
        "[release.tenants.acme]\ndetail_breakdown = [\"os\"]\n",
        "x.toml:5: release.tenants.acme.detail_breakdown is not a breakdown of release.breakdowns; write one exactly as it \
         is listed there, or set the key to \"last\" or \"none\"",
    );
    let drowned = "[release]\npolicy = \"differential-privacy\"\nbreakdowns = [[\"os\"]]\n[release.privacy]\n\
                   epsilon = 0.00002\nsecret_file = \"/x\"\n[ttl]\nbeacons = \"3h\"\n[release.tenants.acme]\n\
                   breakdowns = [[\"os\"], [\"cdn\"], [\"device\"], [\"country\"], [\"asn\"]]\n";
    check_two(
        drowned,
        "x.toml:13: release.tenants.acme.breakdowns is refused, because release.privacy.epsilon is 2e-5, and 120 tables a \
         day share it, so only rows of at least 15836832 sessions would be released; raise epsilon, or use longer windows \
         or fewer breakdowns",
    );
}

#[test]
fn detail_table_of_a_tenant_is_its_last_table_unless_the_tenant_names_another() {
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
fn margin_of_a_tenant_depends_on_its_k_and_is_at_most_half_of_k() {
    let margins = |text: &str| {
        let config = config(&format!("{TWO}{text}")).unwrap();
        ["acme", "beta"].map(|tenant| config.policies().of(tenant).margin())
    };
    assert_eq!(margins("[release.tenants.beta]\nk = 15\n"), [10, 7]);
    assert_eq!(margins("[release]\nmargin = 20\n[release.tenants.beta]\nk = 40\n"), [20, 20]);
    check_two(
        "[release]\nmargin = 20\n[release.tenants.beta]\nk = 30\n",
        "x.toml:7: release.tenants.beta.k is refused, because release.margin is 20, above half of release.tenants.beta.k, \
         which is 30; set the margin to a value from 1 to 15",
    );
}
