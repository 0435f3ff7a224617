//! Tests that workers can be restarted one after the other with a changed configuration.

use crowdfold_testkit::rows::remove_histograms;
use crowdfold_testkit::{Kafka, eventually};
use serde_json::Value;

use crate::worker::support::{Deployment, Worker, tables, window_ago};

#[test]
fn each_table_follows_either_the_old_or_the_new_configuration_during_a_rolling_restart() {
    let mut deployment = Deployment::new(Kafka::shared()).with_topics();
    let log = deployment.players(29, 200, window_ago(2_000, 640_000), 600_000);
    // The new configuration has a longer idle timeout. This difference changes some rows.
    let of_idle = |deployment: &mut Deployment<'_>, idle| {
        deployment.rules.idle = idle;
        let outcome = deployment.evaluate(&log);
        (deployment.last_end(&outcome), outcome.rollups(&deployment.rules))
    };
    let (_, new) = of_idle(&mut deployment, 6_000);
    let (last, old) = of_idle(&mut deployment, 3_000);
    deployment.produce(&log);
    let first = [Worker::start(&deployment, "a"), Worker::start(&deployment, "b")];
    for worker in &first {
        worker.await_log("assigned stage=\"combine\"");
    }
    deployment.await_committed(last - 580_000);
    deployment.rules.idle = 6_000;
    let [a, b] = first;
    a.kill();
    let a = Worker::start(&deployment, "a");
    a.await_log("assigned stage=\"combine\"");
    // The restarted worker must publish something before the other one has the new configuration too.
    let before = deployment.committed("merge");
    eventually("a window closes", || (deployment.committed("merge") != before).then_some(()));
    b.kill();
    let _b = Worker::start(&deployment, "b");
    deployment.await_committed(last);

    let rows = deployment.rows("read_committed");
    let (mut like_old, mut like_new) = (0, 0);
    for ((start, tenant, breakdown), mut table) in tables(&rows) {
        for row in &mut table {
            remove_histograms(row);
        }
        let of = |all: &[Value]| -> Vec<Value> {
            let names = serde_json::json!(breakdown);
            let same = |row: &&Value| {
                row["window"]["start"] == start
                    && row["tenant"] == tenant.as_str()
                    && row["breakdown"] == names
            };
            let mut of: Vec<_> = all.iter().filter(same).cloned().collect();
            of.sort_by_key(|row| row["row"].as_u64());
            of
        };
        let (is_old, is_new) = (table == of(&old), table == of(&new));
        assert!(
            is_old || is_new,
            "{tenant} {start} {breakdown:?} follows neither the old nor the new configuration"
        );
        like_old += usize::from(is_old);
        like_new += usize::from(is_new);
    }
    eprintln!(
        "{like_old} tables equal those of the old configuration, {like_new} those of the new one, which has {} rows",
        new.len()
    );
    assert!(like_old > 0 && like_new > 0);
}
