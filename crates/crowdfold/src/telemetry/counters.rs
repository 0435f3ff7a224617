//! The counters, written every second from the operators' own counts: nothing is recorded for each beacon.

use crowdfold_airlock::Ignored;
use crowdfold_model::Reason;
use crowdfold_pipeline::{Alarms, MergeCounts};
use crowdfold_rollup::Counts;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};

/// Names the metrics for those who read `/metrics`.
pub(crate) fn describe() {
    describe_counter!(
        "crowdfold_beacons_total",
        "beacons by what became of them, floored to a multiple of k"
    );
    describe_counter!(
        "crowdfold_rejected_total",
        "beacons not let in, by reason, floored to a multiple of k"
    );
    describe_counter!(
        "crowdfold_lost_offsets_total",
        "offsets that expired or could not be read, floored to a multiple of k"
    );
    describe_counter!(
        "crowdfold_fields_ignored_total",
        "values of known fields that could not be used, by field, floored to a multiple of k"
    );
    describe_counter!(
        "crowdfold_clock_ahead_total",
        "beacons whose time was further ahead of their record's than windows.max_skew, so that the record's time \
         counts; floored to a multiple of k"
    );
    describe_counter!("crowdfold_rollups_total", "rows published, by breakdown");
    describe_counter!(
        "crowdfold_windows_total",
        "tenants' windows by what became of them, floored to a multiple of k"
    );
    describe_counter!("crowdfold_alarms_total", "what a merger should not see, by kind");
    describe_gauge!("crowdfold_watermark_lag_seconds", "machine time less watermark, by partition");
    describe_gauge!(
        "crowdfold_ttl_headroom_seconds",
        "what is left before the oldest needed record may expire"
    );
    describe_gauge!("crowdfold_ttl_bound_seconds", "longest time a record can be readable or on disk");
    describe_gauge!("crowdfold_open_session_windows", "open session-windows, floored to a multiple of k");
    describe_gauge!("crowdfold_ledger_balanced", "1 while every beacon is accounted for");
    describe_histogram!("crowdfold_transaction_seconds", "time of a transaction, from begin to commit");
    describe_histogram!("crowdfold_freshness_seconds", "machine time at publication less end of the window");
    super::collected::describe();
}

/// Writes cumulative counts of this process, floored to multiples of k.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    k: u64,
}

impl Counters {
    /// For that k.
    #[must_use]
    pub(crate) const fn new(k: u64) -> Self {
        Self { k }
    }

    pub(super) const fn floor(&self, exact: u64) -> u64 {
        exact - exact % self.k
    }

    /// What the combiners of this process counted.
    pub(crate) fn combined(&self, counts: &Counts) {
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

    /// Beacons for which the time of their record counts, because their own was too far ahead of it.
    fn clock_ahead(&self, beacons: u64) {
        counter!("crowdfold_clock_ahead_total").absolute(self.floor(beacons));
    }

    /// Offsets that were never read: they expired before, or their batch cannot be read.
    pub(crate) fn lost(&self, offsets: u64) {
        counter!("crowdfold_lost_offsets_total").absolute(self.floor(offsets));
    }

    /// Values of known fields that could not be used.
    pub(crate) fn ignored(&self, ignored: &Ignored) {
        for (field, exact) in ignored.by_field() {
            counter!("crowdfold_fields_ignored_total", "field" => field).absolute(self.floor(exact));
        }
    }

    /// What the mergers of this process did.
    pub(crate) fn merged(&self, counts: &MergeCounts, alarms: &Alarms) {
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

    /// Open session-windows.
    pub(crate) fn open_session_windows(&self, open: u64) {
        gauge!("crowdfold_open_session_windows").set(self.floor(open) as f64);
    }
}
