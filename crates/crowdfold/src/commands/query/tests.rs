use clap::Parser as _;

use super::{query, topics};
use crate::cli::{Cli, Command, Query};
use crate::config::{Config, Sources};

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

#[test]
fn what_can_be_asked_is_taken_as_typed() {
    for arguments in [
        "",
        "--drilldown device,os,browser --by device,os --where os=Windows --since 1h --every 15m --tenant acme",
        "--drilldown device.os.browser",
        "--by country",
    ] {
        assert!(query(&typed(arguments), 1_000_000).is_ok(), "{arguments}");
    }
}

#[test]
fn what_cannot_be_asked_is_said_before_anything_is_read() {
    for (arguments, expect) in [
        ("--drilldown os,colour", "--drilldown: \"colour\" is no dimension; the dimensions are country, "),
        ("--by shape", "--by: \"shape\" is no dimension"),
        ("--where colour=red", "--where: \"colour\" is no dimension"),
        ("--drilldown device,os --by os", "--by os is not how drill-down device,os begins"),
        (
            "--drilldown device,os --where country=DE",
            "--where country=… does not go with drill-down device,os",
        ),
        ("--drilldown os,os", "--drilldown \"os,os\" names a dimension twice"),
    ] {
        let refused = query(&typed(arguments), 1_000_000).unwrap_err();
        assert!(refused.starts_with(expect), "{refused}");
    }
}

#[test]
fn one_tenants_topic_is_enough_for_one_tenant() {
    let names = ("CROWDFOLD_TENANTS__NAMES", "default,acme");
    let together = config(&[names]);
    assert_eq!(topics(&typed("--tenant acme"), &together).unwrap(), ["crowdfold.rollups"]);
    let apart = config(&[names, ("CROWDFOLD_TENANTS__PER_TENANT_TOPICS", "true")]);
    assert_eq!(topics(&typed("--tenant acme"), &apart).unwrap(), ["crowdfold.rollups.acme"]);
    assert_eq!(topics(&typed(""), &apart).unwrap(), ["crowdfold.rollups.default", "crowdfold.rollups.acme"]);
    let stranger = topics(&typed("--tenant nobody"), &apart).unwrap_err();
    assert_eq!(stranger.exit_code(), 2);
}
