use super::*;
use crowdfold_config::Sources;

/// Returns the output of `topics acl` for a configuration file with this content, or its error message.
fn printed(format: AclFormat, text: &str) -> Result<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.toml");
    std::fs::write(&file, text).unwrap();
    let sources = Sources { file: Some(file), host: "host-1".into(), ..Sources::default() };
    let config = Config::load(&sources).unwrap_or_else(|problem| panic!("{problem}"));
    let mut out = Vec::new();
    run(format, &config, &mut out).map_err(|failure| failure.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn lines_of<'a>(printed: &'a str, principal: &str) -> Vec<&'a str> {
    let granted = format!("--allow-principal {principal} ");
    printed.lines().filter_map(|line| Some(line.split_once(&granted)?.1)).collect()
}

#[test]
fn principal_of_combiner_and_merger_has_the_permissions_of_both() {
    let text = "[principals]\ncombiner = \"worker\"\nmerger = \"worker\"\n";
    let printed = printed(AclFormat::KafkaAcls, text).unwrap();
    assert!(printed.contains("\n# worker: combiner, merger\n"), "{printed}");
    assert_eq!(
        lines_of(&printed, "User:worker"),
        [
            "--operation Read --operation DescribeConfigs --topic crowdfold.beacons",
            "--operation Read --group crowdfold-combine",
            "--operation Write --operation DescribeConfigs --operation Read --topic crowdfold.partials",
            "--operation Write --operation DescribeConfigs --topic crowdfold.rejections --topic crowdfold.rollups",
            "--operation Write --resource-pattern-type prefixed --transactional-id crowdfold-combine-",
            "--operation DescribeConfigs --cluster",
            "--operation Read --group crowdfold-merge",
            "--operation Write --resource-pattern-type prefixed --transactional-id crowdfold-merge-",
        ]
    );
}

#[test]
fn reader_of_one_tenant_may_read_only_the_topic_of_this_tenant() {
    let text = "[tenants]\nnames = [\"acme\", \"kids\"]\ndefault = \"acme\"\nper_tenant_topics = true\n[principals]\n\
                readers = [\"all\"]\n[principals.tenants]\nacme = \"one\"\nkids = [\"two\", \"three\"]\n";
    let printed = printed(AclFormat::KafkaAcls, text).unwrap();
    let kids = ["--operation Read --topic crowdfold.rollups.kids"];
    assert_eq!(lines_of(&printed, "User:one"), ["--operation Read --topic crowdfold.rollups.acme"]);
    assert_eq!(
        (lines_of(&printed, "User:two"), lines_of(&printed, "User:three")),
        (kids.into(), kids.into())
    );
    let both = "--operation Read --topic crowdfold.rollups.acme --topic crowdfold.rollups.kids";
    assert_eq!(lines_of(&printed, "User:all"), [both]);
}

#[test]
fn principal_with_special_characters_is_quoted() {
    let text = "[principals]\nmerger = \"CN=merger, O=It's, C=NL\"\n";
    let printed = printed(AclFormat::KafkaAcls, text).unwrap();
    assert!(printed.contains(r" --allow-principal 'User:CN=merger, O=It'\''s, C=NL' "), "{printed}");
}

#[test]
fn principal_whose_name_is_invalid_in_kubernetes_is_refused_for_strimzi() {
    let text = "[principals]\nmerger = \"CN=merger,O=Org\"\n";
    let refused = printed(AclFormat::Strimzi, text).unwrap_err();
    assert!(
        refused.starts_with("[principals] \"CN=merger,O=Org\" cannot be the name of a KafkaUser"),
        "{refused}"
    );
    let printed = printed(AclFormat::Strimzi, "[principals]\nmerger = \"CN=merger\"\n").unwrap();
    assert!(printed.contains("  name: \"merger\"\n") && printed.contains("type: tls\n"), "{printed}");
}
