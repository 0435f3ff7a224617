use crowdfold_kafka::acl::Role;

use super::*;

#[test]
fn principals_are_called_by_prefix_and_role_unless_named() {
    let config = config("[kafka]\nprefix = \"video\"\n[principals]\nmerger = \"CN=m\"\n").unwrap();
    assert_eq!(config.principals.of(Role::Combiner), Some("video-combiner"));
    assert_eq!(config.principals.of(Role::Merger), Some("CN=m"));
    assert_eq!(config.principals.of(Role::Reader), None);
}

#[test]
fn principals_that_are_nobody_or_everybody_are_refused() {
    check(
        "[principals]\nmerger = \"User:m\"\n",
        "x.toml:2: principals.merger: found \"User:m\", write it without its type: \"m\"",
    );
    for everybody in ["*", "ANONYMOUS"] {
        check(
            &format!("[principals]\nreaders = [\"{everybody}\"]\n"),
            &format!("x.toml:2: principals.readers: {everybody} is everybody: name one principal"),
        );
    }
    check(
        "[principals]\nreaders = [\"\"]\n",
        "x.toml:2: principals.readers: found \"\", want 1 to 255 characters on one line",
    );
}

#[test]
fn a_reader_of_one_tenant_needs_a_tenant_with_a_topic_of_its_own() {
    check(
        "[principals.tenants]\ndefalt = \"r\"\n",
        "x.toml:2: principals.tenants.defalt: is no tenant of tenants.names; did you mean default?",
    );
    check(
        "[principals.tenants]\ndefault = \"r\"\n",
        "x.toml:2: principals.tenants.default: one topic holds the rollups of all tenants, and rights end at topics: \
         set tenants.per_tenant_topics = true, or name readers of all in principals.readers",
    );
    check(
        "[tenants]\nper_tenant_topics = true\n[principals.tenants]\ndefault = 3\n",
        "x.toml:4: principals.tenants.default: want a principal, or a list of them",
    );
}

#[test]
fn roles_that_are_to_be_apart_have_principals_of_their_own() {
    check(
        "[principals]\nreaders = [\"crowdfold-combiner\"]\n",
        "x.toml:2: [principals] crowdfold-combiner is combiner and reader: whoever is both may do what only one of them \
         should; give each a principal of its own",
    );
    check(
        "[principals]\neraser = \"worker\"\ncombiner = \"worker\"\n",
        "x.toml:2: [principals] worker is combiner and eraser: whoever is both may do what only one of them should; \
         give each a principal of its own",
    );
    for (one, other) in [("combiner", "merger"), ("operator", "auditor")] {
        config(&format!("[principals]\n{one} = \"x\"\n{other} = \"x\"\n")).unwrap();
    }
}
