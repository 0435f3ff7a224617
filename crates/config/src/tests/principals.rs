use super::*;

#[test]
fn principal_that_is_not_a_single_user_is_refused() {
    check(
        "[principals]\nmerger = \"User:m\"\n",
        "x.toml:2: principals.merger names \"User:m\"; write it without its type: \"m\"",
    );
    check(
        "[principals]\nreaders = [\"\"]\n",
        "x.toml:2: principals.readers names \"\"; a principal has 1 to 255 characters on one line",
    );
    check(
        "[principals.tenants]\ndefault = \"r\"\n",
        "x.toml:2: principals.tenants.default needs a topic per tenant, because a reader of a topic can read all of it; set tenants.per_tenant_topics to true, or name readers of all tenants in principals.readers",
    );
    check(
        "[principals]\nbrokers = [\"*\"]\n",
        "x.toml:2: principals.brokers names *, which stands for every principal; name one principal",
    );
}

#[test]
fn default_name_of_a_principal_consists_of_prefix_and_role() {
    let loaded = load("[kafka]\nprefix = \"video\"\n[principals]\nmerger = \"CN=m\"\n").unwrap();
    let principals = &loaded.settings.principals;
    assert_eq!((&*principals.combiner, &*principals.merger), ("video-combiner", "CN=m"));
    assert_eq!((&*principals.collector, &*principals.eraser), ("video-collector", "video-eraser"));
    assert_eq!((&*principals.operator, &*principals.auditor), ("video-operator", "video-auditor"));
    assert!(loaded.is_given("principals.merger") && !loaded.is_given("principals.combiner"));
}

#[test]
fn every_role_refuses_names_that_are_not_single_users() {
    for role in ["collector", "combiner", "merger", "eraser", "operator", "auditor"] {
        for everybody in ["*", "ANONYMOUS"] {
            check(
                &format!("[principals]\n{role} = \"{everybody}\"\n"),
                &format!(
                    "x.toml:2: principals.{role} names {everybody}, which stands for every principal; name one principal"
                ),
            );
        }
    }
}

#[test]
fn readers_of_a_tenant_may_be_a_string_or_a_list() {
    let text = "[tenants]\nnames = [\"acme\", \"kids\"]\ndefault = \"acme\"\nper_tenant_topics = true\n\
                [principals.tenants]\nacme = \"one\"\nkids = [\"two\", \"three\"]\n";
    let loaded = load(text).unwrap();
    assert_eq!(loaded.settings.principals.tenants["acme"], ["one"]);
    assert_eq!(loaded.settings.principals.tenants["kids"], ["two", "three"]);
    assert!(loaded.is_given("principals.tenants"));
    check(
        "[tenants]\nper_tenant_topics = true\n[principals.tenants]\ndefault = [\"User:x\"]\n",
        "x.toml:4: principals.tenants.default names \"User:x\"; write it without its type: \"x\"",
    );
}
