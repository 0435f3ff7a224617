//! Notes on the limits of an answer.

use crowdfold_model::{Clamp, Metric};

use super::Answer;
use crate::estimate::Ratio;
use crate::group::Derived;
use crate::row::Numbers;

/// An action that gives the reader of a note more numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint<'a> {
    /// Show the standard error of each number ([`Answer::with_errors`]).
    ShowErrors,
    /// Configure a secret for the publisher, so that it publishes all numbers with noise.
    SetSecret,
    /// Let the publisher make the table of these dimensions the detail table.
    SetDetail(&'a [&'a str]),
}

impl Answer {
    /// Returns the notes that a person needs to interpret the answer. Each note is one line. The first notes name the
    /// tables and the kind of numbers in them. The other notes explain numbers that are missing, negative or
    /// misleading.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.notes_with_hints(&|_| String::new())
    }

    /// Returns the notes like [`Self::notes`]. `hint` returns the text that is appended to a note for a hint. The caller
    /// knows the flags and configuration keys that this text names.
    #[must_use]
    pub fn notes_with_hints(&self, hint: &dyn Fn(Hint<'_>) -> String) -> Vec<String> {
        let mut notes = self.sources(hint);
        if self.is_empty() {
            notes.push("no published row matches the query".into());
        }
        if self.folded_away > 0 {
            notes.push(format!(
                "folded: {} {} in rows that may include it",
                self.folded_away,
                if self.is_empty() { "session_windows" } else { self.count_name() }
            ));
        }
        if self.spans_windows() {
            notes.push(
                "session_windows counts a session once per window, so it is not a number of people".into(),
            );
        }
        let alone = self.groups.iter().filter(|group| group.tenants.len() == 1).count();
        if self.across.is_some() && alone > 0 {
            let groups = if alone == 1 { "group contains" } else { "groups contain" };
            notes.push(format!("{alone} {groups} the data of one tenant only"));
        }
        notes.extend(self.in_detail_only(hint));
        notes.extend(self.lacking());
        notes.extend(self.below_zero());
        notes.extend(self.too_noisy());
        notes.extend(self.out_of_range());
        if let Some(deviation) = self.deviation() {
            notes.push(format!(
                "differential privacy: every number has noise, {} has a standard deviation of up to {deviation:.0}, \
                 and cells that are too small are missing, so totals are too low and differ between breakdowns",
                self.count_name()
            ));
        }
        notes
    }

    /// Returns true if the answer contains the share of good sessions.
    #[must_use]
    pub fn has_good_sessions(&self) -> bool {
        self.groups.iter().any(|group| group.ratio(Derived::GoodSessions).value().is_some())
    }

    /// Returns a note for each kind of numbers. It names the tables that have such numbers.
    fn sources(&self, hint: &dyn Fn(Hint<'_>) -> String) -> Vec<String> {
        let line = |(numbers, tables): (&Numbers, &std::collections::BTreeSet<String>)| {
            let names: Vec<_> = tables.iter().map(String::as_str).collect();
            let several = names.len() > 1;
            let table = if several { "the detail tables" } else { "the detail table" };
            let names = names.join(" · ");
            match numbers {
                Numbers::Exact => format!("answered from {table} {names}: all numbers are exact"),
                Numbers::Noisy => format!(
                    "answered from {names}: session counts are exact, every other number carries noise{}",
                    hint(Hint::ShowErrors)
                ),
                Numbers::Private => format!("answered from {names}, published under differential privacy"),
                Numbers::Absent => format!(
                    "answered from {names}: only session counts are published there, because the publisher has no \
                     secret to draw noise with{}",
                    hint(Hint::SetSecret)
                ),
            }
        };
        self.sources.iter().map(line).collect()
    }

    /// Returns a note for each table with noise. It names the numbers that the table does not contain.
    fn in_detail_only(&self, hint: &dyn Fn(Hint<'_>) -> String) -> Vec<String> {
        let hidden: Vec<&str> = Metric::ALL
            .into_iter()
            .filter(|metric| matches!(metric.outside_detail(), Clamp::Hidden))
            .map(|metric| metric.name())
            .collect();
        let setting = |table: &String| {
            let names: Vec<_> = table.split(',').collect();
            format!(
                "only the detail table contains good, ebvs_reported, {} and percentiles{}",
                hidden.join(", "),
                hint(Hint::SetDetail(&names))
            )
        };
        self.sources.get(&Numbers::Noisy).into_iter().flatten().map(setting).collect()
    }

    /// Returns a note if some rows of a group contain only session counts.
    fn lacking(&self) -> Option<String> {
        let any = self.groups.iter().any(|group| group.rows_without_numbers > 0 && group.has_numbers());
        any.then(|| {
            "some groups include rows without numbers, so their sums are too low, except the number of sessions"
                .into()
        })
    }

    /// Returns a note if any sum is below 0 because of noise.
    fn below_zero(&self) -> Option<String> {
        let any = self.groups.iter().any(|group| !group.below_zero().is_empty());
        any.then(|| {
            "some sums are below 0 because their noise is larger than the value (marked ? in a table, listed in \
             below_zero in JSON); read them as close to 0, or query a longer time or larger groups"
                .into()
        })
    }

    /// Returns a note if any ratio is missing because of noise.
    fn too_noisy(&self) -> Option<String> {
        let too_noisy = |metric| self.groups.iter().any(|group| group.ratio(metric) == Ratio::TooNoisy);
        Derived::all().any(too_noisy).then(|| {
            "some ratios are left empty because their denominator is less than 5 standard deviations of its noise; \
             query a longer time or larger groups"
                .into()
        })
    }

    /// Returns notes on the shares that are left empty because they would be below 0 or above 100 %. Each note contains
    /// one reason.
    fn out_of_range(&self) -> Vec<String> {
        let any = |exact: bool| {
            let groups = self.groups.iter().filter(|group| (group.numbers() == Numbers::Exact) == exact);
            groups
                .flat_map(|group| Derived::all().map(|metric| group.ratio(metric)))
                .any(|ratio| ratio == Ratio::OutOfRange)
        };
        let reasons = [
            (
                true,
                "attempts or plays began outside the queried period or group; query a longer time or larger groups",
            ),
            (
                false,
                "their sums carry noise, or attempts or plays began outside the queried period or group; query a \
                 longer time or larger groups",
            ),
        ];
        let line = |(exact, reason): (bool, &str)| {
            any(exact).then(|| {
                format!("some ratios are left empty because they would be below 0 or above 100 %: {reason}")
            })
        };
        reasons.into_iter().filter_map(line).collect()
    }

    /// Returns the largest standard deviation of the noise in the session counts, or `None` if the counts have no
    /// noise.
    fn deviation(&self) -> Option<f64> {
        let most = self.groups.iter().map(|group| group.noise).fold(0.0, f64::max);
        (most > 0.0).then(|| most.sqrt())
    }
}
