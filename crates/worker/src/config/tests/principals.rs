use crowdfold_kafka::acl::Role;

use super::*;

#[test]
fn role_without_a_configured_principal_has_the_default_principal() {
    let config =
        config("[kafka]\nprefix = \"video\"\n[principals]\nmerger = \"CN=m\"\nreaders = [\"r\"]\n").unwrap();
    let roles = config.roles();
    assert_eq!(roles.of(Role::Combiner), Some("video-combiner"));
    assert_eq!(roles.of(Role::Merger), Some("CN=m"));
    assert_eq!(roles.of(Role::Reader), None);
    let all: Vec<_> = roles.all().map(|(role, name, _)| (role, name)).collect();
    assert_eq!(all.len(), 7);
    assert!(all.contains(&(Role::Reader, "r")) && all.contains(&(Role::Auditor, "video-auditor")));
}

#[test]
fn has_principals_is_true_only_if_a_role_has_a_configured_principal() {
    let has = |text: &str| config(text).unwrap().has_principals();
    assert!(!has("") && !has("[principals]\nbrokers = [\"b\"]\n"));
    assert!(has("[principals]\neraser = \"e\"\n") && has("[principals]\nreaders = [\"r\"]\n"));
    assert!(has("[tenants]\nper_tenant_topics = true\n[principals.tenants]\ndefault = \"r\"\n"));
}

#[test]
fn principal_with_two_roles_that_must_be_separate_is_refused() {
    check(
        "[principals]\nreaders = [\"crowdfold-combiner\"]\n",
        "x.toml:2: principals.readers gives crowdfold-combiner the roles combiner and reader, whose duties must be \
         separate; give each role a principal of its own",
    );
    check(
        "[principals]\neraser = \"worker\"\ncombiner = \"worker\"\n",
        "x.toml:2: principals.eraser gives worker the roles combiner and eraser, whose duties must be separate; give each \
         role a principal of its own",
    );
    for (one, other) in [("combiner", "merger"), ("operator", "auditor")] {
        config(&format!("[principals]\n{one} = \"x\"\n{other} = \"x\"\n")).unwrap();
    }
}
