//! Ends the transactions that were left open when a broker was killed.
//!
//! If a broker is killed during the commit of a transaction, its transaction coordinator writes the missing markers
//! after the restart. If the coordinator does not know the leader of a partition at this time, it treats the partition
//! as deleted and skips its marker (`TransactionMarkerChannelManager` of Kafka 4.3). In a cluster of one broker, the
//! leaders are unknown for some seconds after a restart. The transaction then stays open until an operator ends it.

use std::collections::BTreeSet;

use super::Kafka;

/// The tool of Kafka that ends transactions.
const TOOL: &str = "org.apache.kafka.tools.TransactionsCommand";

/// Reads the partitions whose markers were skipped from the log of the broker. Ends the open transactions of these
/// partitions with Kafka's tool.
#[expect(clippy::print_stderr, reason = "the output of a test reports repairs of its broker")]
pub(super) fn end_transactions(kafka: &Kafka, log: &str) {
    for (topic, partition) in log.lines().flat_map(skipped) {
        let location = ["--topic", &topic, "--partition", &partition];
        for start in open_from(&run(kafka, "describe-producers", &location, &[])) {
            let abort = arguments(kafka, "abort", &location, &["--start-offset", &start]);
            match kafka.try_tool(TOOL, &abort) {
                // The transaction has already ended.
                Err(output) if output.contains("Could not find any open transactions") => continue,
                Err(output) => panic!("{TOOL} failed:\n{output}"),
                Ok(_) => {}
            }
            eprintln!(
                "ended the open transaction that begins at offset {start} of partition {partition} of {topic}"
            );
        }
    }
}

fn run(kafka: &Kafka, action: &str, location: &[&str], more: &[&str]) -> String {
    kafka.tool(TOOL, &arguments(kafka, action, location, more))
}

fn arguments<'a>(kafka: &'a Kafka, action: &'a str, location: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [&["--bootstrap-server", kafka.bootstrap(), action][..], location, more].concat()
}

/// Returns the topics and partitions whose markers were skipped, according to a line of the broker's log.
fn skipped(line: &str) -> BTreeSet<(String, String)> {
    let list = line
        .split_once("find leader endpoint for partitions Set(")
        .and_then(|(_, rest)| rest.split_once(')'));
    let (list, _) = list.unwrap_or_default();
    list.split(", ")
        .filter_map(|name| name.rsplit_once('-'))
        .map(|(topic, partition)| (topic.into(), partition.into()))
        .collect()
}

/// Returns the first offsets of open transactions, which are in the last column of the table that `describe-producers`
/// prints.
fn open_from(table: &str) -> Vec<String> {
    let last = table.lines().skip(1).filter_map(|line| line.split_whitespace().last());
    last.filter(|cell| cell.parse::<u64>().is_ok()).map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_with_skipped_markers_are_read_from_the_log() {
        let line = "INFO [Transaction Marker Channel Manager 1]: Couldn't find leader endpoint for partitions \
                    Set(w-1.partials-1, __consumer_offsets-3) while trying to send transaction markers for w-a, these \
                    partitions are likely deleted already and hence can be skipped";
        let expected = [("__consumer_offsets", "3"), ("w-1.partials", "1")];
        assert_eq!(skipped(line), expected.map(|(topic, number)| (topic.into(), number.into())).into());
        assert_eq!(skipped("INFO Kafka Server started"), BTreeSet::new());
    }

    #[test]
    fn start_offsets_of_open_transactions_are_read_from_the_table() {
        let table = "ProducerId\tProducerEpoch\tLatestCoordinatorEpoch\tLastSequence\tLastTimestamp\t\
                     CurrentTransactionStartOffset\t\n0         \t1            \t2                     \t3           \t\
                     1796127847708\t51                           \t\n1\t1\t4\t1\t1796127907755\tNone\t\n";
        assert_eq!(open_from(table), ["51"]);
    }
}
