use crowdfold_model::{CustomSource, Dimension, Family};

use super::*;

/// A complete definition of a dimension.
const ARM: &str = "[dimensions.arm]\nfrom = \"trial.arm\"\nvalues = [\"A\", \"B\"]\n";

fn names(dimensions: &[Dimension]) -> Vec<&'static str> {
    dimensions.iter().map(|dimension| dimension.name()).collect()
}

#[test]
fn tenant_has_the_common_dimensions_and_its_own_dimensions() {
    let config = config(&format!(
        "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"beta\"\n{ARM}cmcd = \"com.example-arm\"\n\
         [dimensions.tenants.acme.plan]\nfrom = [\"plan\"]\nopen = true\nfamily = \"platform\"\n\
         [release]\nbreakdowns = [[\"arm\"], [\"cdn\"]]\n\
         [release.tenants.acme]\nbreakdowns = [[\"plan\"], [\"arm\"]]\n"
    ))
    .unwrap();
    let custom = config.custom_dimensions();
    assert_eq!(names(custom.of("acme")), ["arm", "plan"]);
    assert_eq!(names(custom.of("beta")), ["arm"]);
    let breakdowns = config.policies().breakdowns();
    assert_eq!(names(&breakdowns.of("acme").concat()), ["plan", "arm"]);
    assert_eq!(names(&breakdowns.of("beta").concat()), ["arm", "cdn"]);
    let families: Vec<_> = custom.of("acme").iter().map(|dimension| dimension.family()).collect();
    assert_eq!(families, [Family::Custom("arm"), Family::Platform]);
    let path = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
    let sources = config.airlock().unwrap().custom_sources;
    let arm = CustomSource { json: path(&["trial", "arm"]), cmcd: Some("com.example-arm".into()), log: None };
    assert_eq!(sources, [arm, CustomSource { json: path(&["plan"]), cmcd: None, log: None }]);
}

#[test]
fn own_dimension_of_a_tenant_replaces_the_common_dimension_in_common_breakdowns() {
    let text = |values: &str| {
        format!(
            "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"beta\"\n{ARM}\
             [dimensions.tenants.acme.arm]\nfrom = \"trial.arm\"\nvalues = {values}\n\
             [release]\nbreakdowns = [[\"arm\"]]\n"
        )
    };
    let same = config(&text("[\"A\", \"B\"]")).unwrap().policies().breakdowns();
    let other = config(&text("[\"A\", \"C\"]")).unwrap().policies().breakdowns();
    assert_eq!(same.of("acme"), same.of("beta"));
    assert_ne!(other.of("acme"), other.of("beta"));
    let fingerprint = |breakdowns: &crowdfold_model::Breakdowns| {
        let mut text = String::new();
        breakdowns.write_to(&mut text);
        text
    };
    assert_ne!(fingerprint(&same), fingerprint(&other));
}

#[test]
fn environment_variables_can_define_dimensions() {
    let config = from_environment(&[
        ("CROWDFOLD_DIMENSIONS__ARM__FROM", "trial.arm"),
        ("CROWDFOLD_DIMENSIONS__ARM__VALUES", "A,B"),
        ("CROWDFOLD_RELEASE__BREAKDOWNS", "[[\"arm\"]]"),
    ])
    .unwrap();
    assert_eq!(names(config.custom_dimensions().common()), ["arm"]);
}

/// Asserts that each configuration is refused with its message. The messages are given without the location.
#[track_caller]
fn assert_refused(cases: &[(&str, &str)]) {
    for (section, message) in cases {
        let refused = config(section).err().unwrap_or_else(|| panic!("accepted:\n{section}"));
        let (_, refused) = refused.split_once(": ").unwrap_or_else(|| refused.split_at(10));
        let refused = refused.split_once(':').map_or(refused, |(line, rest)| {
            if line.bytes().all(|byte| byte.is_ascii_digit()) { rest.trim_start() } else { refused }
        });
        assert_eq!(refused, *message);
    }
}

#[test]
fn name_that_is_in_use_or_not_valid_is_refused() {
    assert_refused(&[
        (
            "[dimensions.os]\nfrom = \"x\"\nopen = true",
            "dimensions.os has the name of a dimension; choose another name",
        ),
        (
            "[dimensions.stalls]\nfrom = \"x\"\nopen = true",
            "dimensions.stalls has the name of a metric; choose another name",
        ),
        (
            "[dimensions.place]\nfrom = \"x\"\nopen = true",
            "dimensions.place has the name of a family; choose another name",
        ),
        (
            "[dimensions.event]\nfrom = \"x\"\nopen = true",
            "dimensions.event has the name of a field of a beacon; choose another name",
        ),
        (
            "[dimensions.rows]\nfrom = \"x\"\nopen = true",
            "dimensions.rows has the name of a field of a row or column of a query; choose another name",
        ),
        (
            "[dimensions.Arm]\nfrom = \"x\"\nopen = true",
            "dimensions.Arm is not a valid name; use 1 to 40 of a-z, 0-9 and _, starting with a letter",
        ),
        (
            "[tenants.attributes.default]\narm = \"x\"\n[dimensions.arm]\nfrom = \"x\"\nopen = true",
            "tenants.attributes.default.arm has the name of a custom dimension, so queries could not tell them apart; \
             choose another name",
        ),
    ]);
}

#[test]
fn dimension_without_a_source_or_with_a_source_that_is_in_use_is_refused() {
    assert_refused(&[
        ("[dimensions.arm]\nopen = true", "dimensions.arm has no source; set from, cmcd or log"),
        (
            "[dimensions.arm]\nfrom = \"os\"\nopen = true",
            "dimensions.arm.from overlaps with the path of the field os; name another key",
        ),
        (
            "[dimensions.arm]\ncmcd = \"arm\"\nopen = true",
            "dimensions.arm.cmcd is not a custom CMCD key; set it to a key with a hyphen, such as \"com.example-arm\"",
        ),
        (
            "[dimensions.arm]\ncmcd = \"org.svta-p-v\"\nopen = true",
            "dimensions.arm.cmcd is the registered key of the dimension player_version; use that dimension, or name \
             another key",
        ),
        (
            "[dimensions.arm]\ncmcd = \"org.svta-u-i\"\nopen = true",
            "dimensions.arm.cmcd is the registered key of a user id; name a key that does not identify a person",
        ),
        (
            "[dimensions.arm]\nlog = \"arm\"\nopen = true",
            "dimensions.arm.log is read from logs only, but source.log is empty; describe the log there, or remove it",
        ),
        (
            "[dimensions.arm]\nfrom = \"x\"\nopen = true\n[dimensions.plan]\nfrom = \"x\"\nopen = true",
            "dimensions.plan has the source of the dimension arm; give it another one, or remove one of them",
        ),
        (
            "[dimensions.arm]\nfrom = \"x\"\nopen = true\n[dimensions.plan]\nfrom = \"x.y\"\nopen = true",
            "dimensions.plan has a part of the source of dimensions.arm; give both the same from, cmcd and log, or \
             different ones",
        ),
    ]);
}

#[test]
fn values_families_and_tenants_that_are_not_valid_are_refused() {
    assert_refused(&[
        (
            "[dimensions.arm]\nfrom = \"x\"",
            "dimensions.arm.values is missing; list the values, or set open = true to permit any text",
        ),
        (
            "[dimensions.arm]\nfrom = \"x\"\nopen = true\nvalues = [\"A\"]",
            "dimensions.arm.values is set, but open = true permits any value; remove one of them",
        ),
        ("[dimensions.arm]\nfrom = \"x\"\nvalues = []", "dimensions.arm.values has 0 values; list 1 to 64"),
        (
            "[dimensions.arm]\nfrom = \"x\"\nvalues = [\"A\", \"a\"]",
            "dimensions.arm.values contains \"a\" twice, because case does not matter; remove one",
        ),
        (
            "[dimensions.arm]\nfrom = \"x\"\nvalues = [\"a@b.example\"]",
            "dimensions.arm.values contains \"a@b.example\", which cannot be published, because it is reserved, too long \
             or looks like an identifier; choose another value",
        ),
        (
            "[dimensions.arm]\nfrom = \"x\"\nopen = true\nfamily = \"os\"",
            "dimensions.arm.family is a dimension; set it to its family, platform",
        ),
        (
            "[dimensions.tenants.nobody.arm]\nfrom = \"x\"\nopen = true",
            "dimensions.tenants.nobody is not a tenant of tenants.names; add it there",
        ),
    ]);
}

#[test]
fn fifth_dimension_of_a_tenant_is_refused_and_so_is_the_seventh_source() {
    let dimension =
        |section: &str, at: usize| format!("[dimensions.{section}d{at}]\nfrom = \"x{at}\"\nopen = true\n");
    let five: String = (0..5).map(|at| dimension("", at)).collect();
    let refused = config(&five).err().unwrap();
    assert!(
        refused.contains("dimensions.d4 is dimension number 5 of its tenants; define at most 4"),
        "{refused}"
    );
    let tenants = "[tenants]\nnames = [\"a\", \"b\"]\ndefault = \"a\"\n".to_owned();
    let own = |tenant: &str, from: usize| -> String {
        (from..from + 4).map(|at| dimension(&format!("tenants.{tenant}."), at)).collect()
    };
    assert!(config(&(tenants.clone() + &own("a", 0) + &own("b", 2))).is_ok());
    let refused = config(&(tenants + &own("a", 0) + &own("b", 3))).err().unwrap();
    assert!(
        refused.contains("dimensions.tenants.b.d6 has source number 7, but all tenants together may have 6"),
        "{refused}"
    );
}

#[test]
fn breakdown_that_conflicts_with_the_family_of_a_dimension_or_has_an_unknown_name_is_refused() {
    let with = |breakdowns: &str, family: &str| {
        let family = if family.is_empty() { String::new() } else { format!("family = \"{family}\"\n") };
        config(&format!("{ARM}{family}[release]\nbreakdowns = {breakdowns}\n"))
    };
    assert!(with("[[\"arm\"], [\"os\"]]", "").is_ok());
    let refused = with("[[\"arm\"], [\"os\"]]", "platform").err().unwrap();
    assert!(
        refused.contains(
            "release.breakdowns contains breakdowns [arm] and [os], which both describe the platform"
        ),
        "{refused}"
    );
    let refused = with("[[\"arm\"], [\"os\"]]", "error").err().unwrap();
    assert!(
        refused.contains("release.breakdowns contains arm in breakdown [arm], which is not the detail table"),
        "{refused}"
    );
    let refused = with("[[\"arm\", \"content\"]]", "place").err().unwrap();
    assert!(refused.contains("combines content with arm"), "{refused}");
    let refused = with("[[\"armm\"]]", "").err().unwrap();
    assert!(refused.contains("names \"armm\", which is not a dimension; did you mean arm?"), "{refused}");
}

#[test]
fn dimension_of_one_tenant_is_unknown_to_other_tenants() {
    let refused = config(
        "[dimensions.tenants.default.arm]\nfrom = \"x\"\nopen = true\n[release]\nbreakdowns = [[\"arm\"]]\n",
    );
    let refused = refused.err().unwrap();
    assert!(refused.contains("names \"arm\", which is not a dimension of all tenants"), "{refused}");
}
