//! Tests that `audit` finds no breach in the output of the worker and in other harmless topics, and that its report
//! names each topic that could not be checked.

use crowdfold_testkit::{Kafka, unique};
use serde_json::json;

use super::rows::{table, topic, write};
use super::{audit, found, report, text};
use crate::worker::support::{Deployment, Worker, window_ago};

#[test]
fn audit_finds_no_breach_in_the_output_of_the_worker() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.rules.k = 25;
    // The breakdowns omit dimensions whose values may have any form, such as the firmware.
    deployment.rules.breakdowns = [
        &["device", "os", "browser"][..],
        &["player", "player_version"],
        &["stream", "content"],
        &["cdn", "connection"],
    ]
    .map(|names| names.iter().map(ToString::to_string).collect())
    .to_vec();
    let deployment = deployment.with_topics();
    let log = deployment.players(31, 300, window_ago(2_000, 90_000), 40_000);
    let outcome = deployment.evaluate(&log);
    assert!(!outcome.ledger.beacons.rejected.is_empty());
    deployment.produce(&log);
    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");

    let config = deployment.config("audit");
    let (code, whole) = report(deployment.kafka, &["--config", config.to_str().unwrap()]);
    assert_eq!(found(&whole), [""; 0], "{whole:#}");
    assert_eq!((code, &whole["outcome"], &whole["breaches"]), (Some(0), &json!("clean"), &json!(0)));
    let topics = whole["topics"].as_array().unwrap();
    let purposes: Vec<_> = topics.iter().map(|topic| topic["purpose"].as_str().unwrap()).collect();
    assert_eq!(purposes, ["beacons", "partials", "rollups", "rejections"]);
    // The audit does not read the topics whose records contain personal data.
    assert!(topics[..2].iter().all(|topic| topic["records"].is_null()), "{topics:#?}");
    let rows = deployment.rows("read_committed");
    assert_eq!(topics[2]["records"], json!(rows.len()));
    assert!(topics[2]["tables"].as_u64().unwrap() > 20 && topics[3]["records"].as_u64().unwrap() > 0);
    // This broker has no authorizer, so every client may read. The report lists this fact, but does not count it as a
    // breach, because no principals are configured.
    assert!(whole["findings"].as_array().unwrap().iter().all(|found| found["finding"] == "anyone-may-read"));

    // If k is larger, the audit must report that the same rows have too few sessions.
    let output = audit(deployment.kafka, &["--rollups", &deployment.topic("rollups"), "--k", "100000"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("more of below-k in"), "{}", text(&output.stdout));
    // This row covers only one session, so the audit must report it.
    let mut row = rows[0].json.clone();
    row["sessions"] = json!(1);
    write(deployment.kafka, &deployment.topic("rollups"), 0, &[row]);
    let (code, whole) = report(deployment.kafka, &["--config", config.to_str().unwrap()]);
    assert_eq!(code, Some(3));
    assert!(found(&whole).iter().any(|found| found.starts_with("below-k 0/")), "{whole:#}");
}

#[test]
fn rows_of_aborted_transactions_do_not_count_as_duplicates_but_are_searched_for_identifiers() {
    use rdkafka::ClientConfig;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    use std::time::Duration;
    let kafka = Kafka::shared();
    let rollups = topic(kafka, "aborted", 1);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("transactional.id", unique("audit"))
        .create()
        .unwrap();
    let long = Duration::from_secs(60);
    producer.init_transactions(long).unwrap();
    let rows = table(3, "os", &[("*", 60), ("Windows", 900)]);
    // Three transactions are written: half of the table (aborted), the whole table (aborted), and the whole table again
    // (committed).
    for (count, commit) in [(1, false), (2, false), (2, true)] {
        producer.begin_transaction().unwrap();
        for row in &rows[..count] {
            let (key, value) = ("default/os/180000", row.to_string());
            producer
                .send(BaseRecord::to(&rollups).key(key).payload(&value))
                .map_err(|(error, _)| error)
                .unwrap();
        }
        producer.flush(long).unwrap();
        if commit {
            producer.commit_transaction(long).unwrap()
        } else {
            producer.abort_transaction(long).unwrap()
        }
    }
    let (code, whole) = report(kafka, &["--rollups", &rollups]);
    assert_eq!((code, found(&whole)), (Some(0), Vec::new()), "{whole:#}");
    assert_eq!((&whole["topics"][0]["records"], &whole["topics"][0]["uncommitted"]), (&json!(2), &json!(3)));

    // An identifier in an aborted transaction is readable until it expires, so the audit must report it.
    let mut row = rows[0].clone();
    row["dimensions"]["os"] = json!("203 0 113 77");
    producer.begin_transaction().unwrap();
    let value = row.to_string();
    let record = BaseRecord::to(&rollups).key("default/os/180000").payload(&value);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(long).unwrap();
    producer.abort_transaction(long).unwrap();
    let (code, whole) = report(kafka, &["--rollups", &rollups]);
    assert_eq!(
        (code, found(&whole)),
        (Some(3), vec!["identifier 0/8 /dimensions/os".to_owned()]),
        "{whole:#}"
    );
    let what = whole["findings"][0]["what"].as_str().unwrap();
    assert_eq!(what, "contains an IP address, in an uncommitted transaction");
    assert!(!whole.to_string().contains("203 0 113"));
}

#[test]
fn table_whose_first_rows_have_expired_is_not_reported_as_a_breach() {
    let kafka = Kafka::shared();
    let rollups = topic(kafka, "cut", 1);
    let rows = table(3, "os", &[("*", 60), ("Linux", 70), ("Windows", 900)]);
    write(kafka, &rollups, 0, &rows);
    kafka.delete_before(&rollups, 0, 2);
    let (code, whole) = report(kafka, &["--rollups", &rollups]);
    assert_eq!((code, found(&whole)), (Some(0), Vec::new()), "{whole:#}");
}

#[test]
fn topic_that_cannot_be_checked_is_reported_and_sets_the_exit_code_to_1() {
    let kafka = Kafka::shared();
    let rollups = topic(kafka, "there", 1);
    write(kafka, &rollups, 0, &table(3, "os", &[("Windows", 900)]));
    let output = audit(kafka, &["--rollups", &rollups, "--rollups", "not-there"]);
    assert_eq!(output.status.code(), Some(1));
    let (printed, error) = (text(&output.stdout), text(&output.stderr));
    assert!(printed.contains("not checked: topic not-there: it does not exist"), "{printed}");
    assert_eq!(error, "crowdfold: topic not-there could not be checked: it does not exist\n");
    assert!(!printed.contains("clean:"), "{printed}");

    let output = std::process::Command::new(crowdfold_testkit::binary("crowdfold"))
        .args(["audit", "--brokers", "127.0.0.1:1", "--rollups", "x"])
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).starts_with("crowdfold: no broker at 127.0.0.1:1 responds"),
        "{}",
        text(&output.stderr)
    );
}

/// The comparison ignores the parts of the report that differ between runs.
#[test]
fn audit_report_lists_the_topics_and_the_breaches() {
    let kafka = Kafka::shared();
    let rollups = topic(kafka, "shown", 1);
    write(kafka, &rollups, 0, &table(3, "os", &[("*", 60), ("Windows", 900)]));
    let shown =
        |output: &std::process::Output| text(&output.stdout).replace(&rollups, "somebody.rollups-0123456789");
    let clean = shown(&audit(kafka, &["--rollups", &rollups]));
    let mut row = table(4, "os.cdn", &[("Windows/203.0.113.77", 12)]).remove(0);
    row["rows"] = json!(2);
    write(kafka, &rollups, 0, &[row]);
    let breached = shown(&audit(kafka, &["--rollups", &rollups]));
    let first: Vec<&str> = clean.lines().collect();
    assert_eq!(
        first[0].split_whitespace().collect::<Vec<_>>().join(" "),
        "TOPIC RECORDS TABLES OLDEST READABLE AT MOST MAY READ"
    );
    assert!(first[1].ends_with("1h = retention 44m + segment 11m + check 5m  anyone"), "{clean}");
    assert_eq!(first.last(), Some(&"clean: 2 records read, no breach found"));
    let lines: Vec<String> =
        breached.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines[..5],
        [
            "",
            "BREACH TOPIC PARTITION OFFSET FIELD WHAT",
            "identifier somebody.rollups-0123456789 0 2 /dimensions/cdn contains an IP address",
            "below-k somebody.rollups-0123456789 0 2 /sessions covers fewer than 50 sessions",
            "incomplete-table somebody.rollups-0123456789 0 2 - begins a table that lacks 1 of its rows",
        ]
    );
}
