use clap::Parser as _;

use crowdfold_console::{Catalogue, Query as Asked};

use super::{catalogue, topics};
use crate::cli::{Cli, Command, Query};
use crate::config::Config;
use crate::failure::Failure;
use crowdfold_config::Sources;

fn typed(arguments: &str) -> Query {
    let words = ["crowdfold", "query"].into_iter().chain(arguments.split_whitespace());
    match Cli::try_parse_from(words).unwrap().command {
        Command::Query(query) => query,
        other => panic!("{other:?}"),
    }
}

fn config(environment: &[(&str, &str)]) -> Config {
    let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Config::load(&Sources { environment, host: "here".into(), ..Sources::default() }).unwrap()
}

/// Of a configuration without attributes.
fn query(args: &Query, now: u64) -> Result<Asked, String> {
    super::query(args, &Catalogue::default(), now)
}

#[test]
fn what_can_be_asked_is_taken_as_typed() {
    for arguments in [
        "",
        "--breakdown device,os,browser --by device,os --where os=Windows --since 1h --every 15m --tenant acme",
        "--breakdown device.os.browser",
        "--by country",
    ] {
        assert!(query(&typed(arguments), 1_000_000).is_ok(), "{arguments}");
    }
}

#[test]
fn impossible_queries_are_refused_before_anything_is_read() {
    for (arguments, expect) in [
        ("--breakdown os,colour", "--breakdown: \"colour\" is no dimension; the dimensions are country, "),
        ("--by shape", "--by: \"shape\" is no dimension"),
        ("--where colour=red", "--where: \"colour\" is no dimension"),
        ("--breakdown device,os --by os", "--by os is not how breakdown device,os begins"),
        (
            "--breakdown device,os --where country=DE",
            "--where country=… does not go with breakdown device,os",
        ),
        ("--breakdown os,os", "--breakdown \"os,os\" names a dimension twice"),
    ] {
        let refused = query(&typed(arguments), 1_000_000).unwrap_err();
        assert!(refused.starts_with(expect), "{refused}");
    }
}

/// The topics that a question is put to.
fn asked(arguments: &str, config: &Config) -> Result<Vec<String>, Failure> {
    let args = typed(arguments);
    let query = super::query(&args, &catalogue(&config.tenants), 1_000_000).unwrap();
    topics(&args, &query, config)
}

#[test]
fn attributes_can_be_asked_beside_dimensions_and_are_called_by_name() {
    let config = config(&[
        ("CROWDFOLD_TENANTS__NAMES", "default,acme,shy"),
        ("CROWDFOLD_TENANTS__PER_TENANT_TOPICS", "true"),
        ("CROWDFOLD_TENANTS__ATTRIBUTES__ACME__INDUSTRY", "news"),
        ("CROWDFOLD_TENANTS__ATTRIBUTES__SHY__INDUSTRY", "news"),
        ("CROWDFOLD_TENANTS__EXCLUDED_FROM_GROUPINGS", "shy"),
    ]);
    let (acme, default) = ("crowdfold.rollups.acme", "crowdfold.rollups.default");
    assert_eq!(asked("--by industry,os --where industry=news", &config).unwrap(), [acme]);
    assert_eq!(asked("--across", &config).unwrap(), [default, acme]);
    assert_eq!(asked("--by industry --where industry=sport", &config).unwrap(), [""; 0]);
    let known = catalogue(&config.tenants);
    for (arguments, expect) in [
        ("--by industy", "--by: \"industy\" is no dimension and no attribute; the dimensions are "),
        ("--breakdown industry", "--breakdown: \"industry\" is no dimension; the dimensions are "),
        (
            "--tenant acme --by industry",
            "--tenant acme is one tenant alone, and --by industry adds up several",
        ),
        ("--by industry,industry", "--by \"industry,industry\" names a dimension twice"),
    ] {
        let refused = super::query(&typed(arguments), &known, 1_000_000).unwrap_err();
        assert!(refused.starts_with(expect), "{refused}");
    }
    let refused = super::query(&typed("--where plan=pro"), &known, 1_000_000).unwrap_err();
    assert!(refused.ends_with("quality, the attributes of tenants industry"), "{refused}");
}

#[test]
fn one_tenants_topic_is_enough_for_one_tenant() {
    let names = ("CROWDFOLD_TENANTS__NAMES", "default,acme");
    let together = config(&[names]);
    assert_eq!(asked("--tenant acme", &together).unwrap(), ["crowdfold.rollups"]);
    let apart = config(&[names, ("CROWDFOLD_TENANTS__PER_TENANT_TOPICS", "true")]);
    assert_eq!(asked("--tenant acme", &apart).unwrap(), ["crowdfold.rollups.acme"]);
    assert_eq!(asked("", &apart).unwrap(), ["crowdfold.rollups.default", "crowdfold.rollups.acme"]);
    let stranger = asked("--tenant nobody", &apart).unwrap_err();
    assert_eq!(stranger.exit_code(), 2);
}
