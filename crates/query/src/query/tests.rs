use crowdfold_model::{Span, Timestamp};

use crate::testing::{MINUTE, query};

fn refused(flags: &str) -> String {
    query(flags).expect_err("refused").to_string()
}

#[test]
fn query_flags_are_parsed() {
    let asked = query("--breakdown os,browser --where os=Windows --where os=macOS --where browser=a=b --since 1h --by os --every 5m")
        .unwrap();
    assert_eq!(asked.breakdown.unwrap(), ["os", "browser"]);
    assert_eq!(asked.conditions["os"], ["Windows", "macOS"]);
    assert_eq!(asked.conditions["browser"], ["a=b"]);
    assert_eq!(
        (asked.since, asked.every, asked.by.unwrap()),
        (Timestamp::from_millis(40 * MINUTE), Some(Span::MINUTE * 5), vec!["os".to_owned()])
    );
}

#[test]
fn breakdown_may_be_written_with_dots() {
    assert_eq!(query("--breakdown os.browser").unwrap(), query("--breakdown os,browser").unwrap());
}

#[test]
fn since_before_the_epoch_selects_all_windows() {
    assert_eq!(query("--since 9999d").unwrap().since, Timestamp::EPOCH);
}

#[test]
fn error_for_grouping_by_other_than_the_first_dimensions_lists_the_valid_choices() {
    assert_eq!(
        refused("--breakdown device,os,browser --by os"),
        "by os is not a prefix of breakdown device,os,browser, so folded rows cannot be grouped by it; group by \
         device or device,os or device,os,browser"
    );
    assert!(
        refused("--breakdown os --by os,browser")
            .starts_with("by os,browser is not a prefix of breakdown os")
    );
}

#[test]
fn condition_on_a_dimension_outside_the_breakdown_is_refused() {
    assert!(
        refused("--breakdown os,browser --where cdn=a")
            .starts_with("where cdn=… does not apply to breakdown os,browser, which has no cdn")
    );
}

#[test]
fn errors_name_the_flag_and_quote_the_value() {
    assert!(
        refused("--breakdown os,,browser")
            .starts_with("breakdown \"os,,browser\" contains a dimension twice")
    );
    assert!(refused("--breakdown os,os").starts_with("breakdown \"os,os\""));
    assert!(refused("--by os,os").starts_with("by \"os,os\""));
    for condition in ["os", "=Windows", "os="] {
        assert_eq!(
            refused(&format!("--where {condition}")),
            format!("where {condition:?} is not a condition; write it like os=Windows")
        );
    }
    assert_eq!(
        refused("--since yesterday"),
        "since \"yesterday\" is not a duration; write a number above 0 and a unit, such as 90s (units: ms, s, m, h, d, w)"
    );
    assert!(refused("--every 0m").starts_with("every \"0m\" is not a duration"));
}
