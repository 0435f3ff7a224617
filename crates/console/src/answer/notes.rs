//! Lines beside an answer that its reader has to know.

use super::Answer;
use crate::estimate::Ratio;
use crate::group::Derived;
use crate::row::Numbers;

impl Answer {
    /// Lines that a reader of the numbers has to know, one for each fact: the table that answered and what its numbers
    /// are, then what is missing, negative or not to be read as people.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.sources();
        if self.is_empty() {
            notes.push("no published row meets the query".into());
        }
        if self.folded_away > 0 {
            notes.push(format!(
                "folded away: {} {} in rows that may hold it",
                self.folded_away,
                if self.is_empty() { "session_windows" } else { self.count_name() }
            ));
        }
        if self.spans_windows() {
            notes.push(
                "session_windows counts a session once in each window: it is not a number of people".into(),
            );
        }
        let alone = self.groups.iter().filter(|group| group.tenants.len() == 1).count();
        if self.across.is_some() && alone > 0 {
            let (groups, show) =
                if alone == 1 { ("group is", "it says") } else { ("groups are", "they say") };
            notes.push(format!("{alone} {groups} of one tenant: what {show} is that tenant's alone"));
        }
        notes.extend(self.lacking());
        notes.extend(self.below_zero());
        notes.extend(self.too_noisy());
        notes.extend(self.out_of_range());
        if let Some(deviation) = self.deviation() {
            notes.push(format!(
                "differential privacy: every number has noise, {} has a standard deviation of up to {deviation:.0}, and \
                 cells too small for it are missing, so totals are too low and differ between breakdowns",
                self.count_name()
            ));
        }
        notes
    }

    /// Each table that answered, with what its numbers are.
    fn sources(&self) -> Vec<String> {
        let line = |(numbers, tables): (&Numbers, &std::collections::BTreeSet<String>)| {
            let names: Vec<_> = tables.iter().map(String::as_str).collect();
            let several = names.len() > 1;
            let table = if several { "the detail tables" } else { "the detail table" };
            let names = names.join(" · ");
            match numbers {
                Numbers::Exact => format!("answered from {table} {names}: all numbers are exact"),
                Numbers::Noisy => format!(
                    "answered from {names}: session counts are exact, every other number carries noise; --errors \
                     shows its standard error"
                ),
                Numbers::Private => format!("answered from {names}, published under differential privacy"),
                Numbers::Absent => format!(
                    "answered from {names}: only session counts are published there, because the publisher has no \
                     secret to draw noise with; set release.privacy.secret_file for the worker"
                ),
            }
        };
        self.sources.iter().map(line).collect()
    }

    /// Groups of which only some rows show more than session counts.
    fn lacking(&self) -> Option<String> {
        let any = self.groups.iter().any(|group| group.rows_without_numbers > 0 && group.has_numbers());
        any.then(|| {
            "some groups add up rows with and without numbers: their sums are too low, except the number of sessions"
                .into()
        })
    }

    /// Sums that noise brought below 0.
    fn below_zero(&self) -> Option<String> {
        let any = self.groups.iter().any(|group| !group.below_zero().is_empty());
        any.then(|| {
            "some sums are below 0 because their noise is larger than they are (marked ? in a table, named in \
             below_zero in JSON): read them as close to 0, or ask for a longer time or larger groups"
                .into()
        })
    }

    /// Ratios that are left empty because of noise.
    fn too_noisy(&self) -> Option<String> {
        let too_noisy = |metric| self.groups.iter().any(|group| group.ratio(metric) == Ratio::TooNoisy);
        Derived::all().any(too_noisy).then(|| {
            "some ratios are left empty because their denominator is less than 5 standard deviations of its noise: ask \
             for a longer time or larger groups"
                .into()
        })
    }

    /// Shares that are left empty because they would lie outside 0 to 100 %, one line for each reason.
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
                "attempts or plays began outside the period or group asked for: ask for a longer time or larger groups",
            ),
            (
                false,
                "their sums carry noise, or attempts or plays began outside the period or group asked for: ask for a longer time or larger groups",
            ),
        ];
        let line = |(exact, reason): (bool, &str)| {
            any(exact).then(|| {
                format!("some ratios are left empty because they would be below 0 or above 100 %: {reason}")
            })
        };
        reasons.into_iter().filter_map(line).collect()
    }

    /// The largest standard deviation of the noise in a group's sessions, where there is any.
    fn deviation(&self) -> Option<f64> {
        let most = self.groups.iter().map(|group| group.noise).fold(0.0, f64::max);
        (most > 0.0).then(|| most.sqrt())
    }
}
