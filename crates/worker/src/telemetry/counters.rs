//! The counters among the metrics. They are set every second from the counts of the operators, so a beacon does not
//! change a metric immediately.

use crowdfold_airlock::Ignored;
use crowdfold_engine::{Alarms, Counts, MergeCounts};
use crowdfold_model::Reason;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};

/// Registers the descriptions of the metrics on `/metrics`.
pub(super) fn describe() {
    describe_counter!("crowdfold_beacons_total", "beacons by outcome, floored to a multiple of k");
    describe_counter!("crowdfold_rejected_total", "rejected beacons by reason, floored to a multiple of k");
    describe_counter!(
        "crowdfold_lost_offsets_total",
        "offsets that expired or could not be read, floored to a multiple of k"
    );
    describe_counter!(
        "crowdfold_fields_ignored_total",
        "values of known fields that could not be used, by field, floored to a multiple of k"
    );
    describe_gauge!(
        "crowdfold_absent_paths",
        "paths in [source.fields] and [dimensions] that occur in no JSON beacon; 0 until 10,000 beacons were read"
    );
    describe_counter!(
        "crowdfold_clock_ahead_total",
        "beacons whose event time was ahead of their record's timestamp by more than windows.max_skew and was replaced \
         by it, floored to a multiple of k"
    );
    describe_counter!("crowdfold_rollups_total", "rows published, by breakdown");
    describe_counter!("crowdfold_windows_total", "windows of tenants by outcome, floored to a multiple of k");
    describe_counter!("crowdfold_alarms_total", "unexpected inputs of a merger, by kind");
    describe_gauge!("crowdfold_watermark_lag_seconds", "system time minus watermark, by partition");
    describe_gauge!("crowdfold_ttl_headroom_seconds", "time until the oldest needed record may expire");
    describe_gauge!(
        "crowdfold_ttl_bound_seconds",
        "longest time for which a record can be readable or on disk"
    );
    describe_gauge!("crowdfold_open_session_windows", "open session-windows, floored to a multiple of k");
    describe_gauge!("crowdfold_ledger_balanced", "1 while the ledger accounts for every beacon");
    describe_histogram!("crowdfold_transaction_seconds", "duration of a transaction, from begin to commit");
    describe_histogram!("crowdfold_freshness_seconds", "system time at publication minus end of the window");
}

/// Sets the counters of this process, rounded down to multiples of k.
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    k: u64,
}

impl Counters {
    /// Creates counters that are rounded down to multiples of k.
    #[must_use]
    pub const fn new(k: u64) -> Self {
        Self { k }
    }

    /// Returns the largest multiple of k that is not larger than a count.
    #[must_use]
    pub const fn floor(&self, exact: u64) -> u64 {
        exact - exact % self.k
    }

    /// Sets the counters of beacons to the counts of the combiners of this process.
    pub fn combined(&self, counts: &Counts) {
        for (outcome, exact) in [
            ("read", counts.read),
            ("late", counts.late),
            ("duplicate", counts.duplicate),
            ("opted_out", counts.opted_out),
            ("excluded", counts.excluded),
            ("rejected", counts.rejected()),
        ] {
            counter!("crowdfold_beacons_total", "outcome" => outcome).absolute(self.floor(exact));
        }
        for reason in Reason::ALL {
            let exact = counts.rejected[reason as usize];
            counter!("crowdfold_rejected_total", "reason" => reason.name()).absolute(self.floor(exact));
        }
        self.clock_ahead(counts.clock_ahead);
    }

    /// Sets the number of beacons whose event time was too far ahead of the timestamp of their record. The airlock
    /// replaces such an event time by the timestamp.
    fn clock_ahead(&self, beacons: u64) {
        counter!("crowdfold_clock_ahead_total").absolute(self.floor(beacons));
    }

    /// Sets the number of offsets that were never read, because they expired or their batch could not be read.
    pub fn lost(&self, offsets: u64) {
        counter!("crowdfold_lost_offsets_total").absolute(self.floor(offsets));
    }

    /// Sets the numbers of invalid values of known fields. Such values are ignored.
    pub fn ignored(&self, ignored: &Ignored) {
        for (field, exact) in ignored.by_field() {
            counter!("crowdfold_fields_ignored_total", "field" => field).absolute(self.floor(exact));
        }
    }

    /// Sets the counters of beacons, windows and alarms to the counts of the mergers of this process.
    pub fn merged(&self, counts: &MergeCounts, alarms: &Alarms) {
        for (outcome, beacons, windows) in [
            ("released", counts.beacons.released, counts.windows.released),
            ("withheld", counts.beacons.withheld, counts.windows.withheld),
        ] {
            counter!("crowdfold_beacons_total", "outcome" => outcome).absolute(self.floor(beacons));
            counter!("crowdfold_windows_total", "outcome" => outcome).absolute(self.floor(windows));
        }
        for (kind, exact) in [
            ("duplicate", alarms.duplicates),
            ("gap", alarms.gaps),
            ("mixed", alarms.mixed),
            ("forced", alarms.forced),
            ("fault", alarms.faults),
        ] {
            counter!("crowdfold_alarms_total", "kind" => kind).absolute(exact);
        }
    }

    /// Sets the number of open session-windows.
    pub fn open_session_windows(&self, open: u64) {
        gauge!("crowdfold_open_session_windows").set(self.floor(open) as f64);
    }
}
