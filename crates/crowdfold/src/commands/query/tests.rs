use clap::Parser as _;
use crowdfold_model::Timestamp;

use crowdfold_query::{Catalogue, Query as Asked};

use super::{catalogue, topics};
use crate::cli::{Cli, Command, Query};
use crate::error::CrowdfoldError;
use crowdfold_config::Sources;
use crowdfold_worker::Config;

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

/// Parses a query for a configuration without attributes.
fn query(args: &Query, now: Timestamp) -> Result<Asked, String> {
    super::query(args, &Catalogue::default(), &[], now)
}

#[test]
fn valid_query_is_accepted() {
    for arguments in [
        "",
        "--breakdown device,os,browser --by device,os --where os=Windows --since 1h --every 15m --tenant acme",
        "--breakdown device.os.browser",
        "--by country",
    ] {
        assert!(query(&typed(arguments), Timestamp::from_millis(1_000_000)).is_ok(), "{arguments}");
    }
}

#[test]
fn invalid_query_is_refused_with_the_flag_and_the_reason() {
    for (arguments, expect) in [
        ("--breakdown os,colour", "--breakdown: \"colour\" is not a dimension; the dimensions are country, "),
        ("--by shape", "--by: \"shape\" is not a dimension"),
        ("--where colour=red", "--where: \"colour\" is not a dimension"),
        ("--breakdown device,os --by os", "--by os is not a prefix of breakdown device,os"),
        (
            "--breakdown device,os --where country=DE",
            "--where country=… does not apply to breakdown device,os",
        ),
        ("--breakdown os,os", "--breakdown \"os,os\" contains a dimension twice"),
    ] {
        let refused = query(&typed(arguments), Timestamp::from_millis(1_000_000)).unwrap_err();
        assert!(refused.starts_with(expect), "{refused}");
    }
}

/// Returns the names of the topics that a query reads.
fn asked(arguments: &str, config: &Config) -> Result<Vec<String>, CrowdfoldError> {
    let args = typed(arguments);
    let query =
        super::query(&args, &catalogue(&config.tenants), &[], Timestamp::from_millis(1_000_000)).unwrap();
    topics(&args, &query, config)
}

#[test]
fn attributes_are_accepted_with_dimensions_and_listed_in_errors() {
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
        ("--by industy", "--by: \"industy\" is neither a dimension nor an attribute; the dimensions are "),
        ("--breakdown industry", "--breakdown: \"industry\" is not a dimension; the dimensions are "),
        (
            "--tenant acme --by industry",
            "--tenant acme selects one tenant, but --by industry adds up several",
        ),
        ("--by industry,industry", "--by \"industry,industry\" contains a dimension twice"),
    ] {
        let refused =
            super::query(&typed(arguments), &known, &[], Timestamp::from_millis(1_000_000)).unwrap_err();
        assert!(refused.starts_with(expect), "{refused}");
    }
    let refused =
        super::query(&typed("--where plan=pro"), &known, &[], Timestamp::from_millis(1_000_000)).unwrap_err();
    assert!(refused.ends_with("; the attributes of tenants are industry"), "{refused}");
}

#[test]
fn custom_dimension_is_accepted_in_a_query_like_other_dimensions() {
    let config =
        config(&[("CROWDFOLD_DIMENSIONS__ARM__FROM", "arm"), ("CROWDFOLD_DIMENSIONS__ARM__OPEN", "true")]);
    let names = config.custom_dimensions().names();
    let query = |arguments: &str, names: &[&str]| {
        super::query(&typed(arguments), &Catalogue::default(), names, Timestamp::from_millis(1_000_000))
            .map(drop)
    };
    let arguments = "--breakdown arm --by arm --where arm=B";
    assert_eq!(query(arguments, &names), Ok(()));
    let refused = query(arguments, &[]).unwrap_err();
    assert!(refused.starts_with("--breakdown: \"arm\" is not a dimension; the dimensions are "), "{refused}");
}

#[test]
fn query_for_one_tenant_reads_only_the_topic_of_that_tenant() {
    let names = ("CROWDFOLD_TENANTS__NAMES", "default,acme");
    let together = config(&[names]);
    assert_eq!(asked("--tenant acme", &together).unwrap(), ["crowdfold.rollups"]);
    let apart = config(&[names, ("CROWDFOLD_TENANTS__PER_TENANT_TOPICS", "true")]);
    assert_eq!(asked("--tenant acme", &apart).unwrap(), ["crowdfold.rollups.acme"]);
    assert_eq!(asked("", &apart).unwrap(), ["crowdfold.rollups.default", "crowdfold.rollups.acme"]);
    let stranger = asked("--tenant nobody", &apart).unwrap_err();
    assert_eq!(stranger.exit_code(), 2);
}
