//! Compares the combiner and the merger with the oracle, on thousands of small random logs. The records are JSON
//! beacons, CMCD events and CMCD requests in one to three partitions. Some records are out of order, late, repeated,
//! opted out or invalid. Every field of every row is compared. `invariants/conservation.rs` compares the ledger.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod attempts;
mod logs;
mod noise;

use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Record, SessionHasher, Settings, Shared};
use crowdfold_engine::{
    Combiner, CombinerSettings, Counts, Ledger, MergeCounts, Merger, MergerSettings, Operator, Rules, Start,
};
use crowdfold_model::{
    Custom, CustomDimensions, CustomSource, CustomValues, Dimension, Qualities, Quality, Span, Timestamp,
};
use crowdfold_random::Random;
use crowdfold_release::{Detail, Policies, Policy, PolicySettings, Secret};
use crowdfold_testkit::oracle;
use crowdfold_testkit::rows::remove_histograms;
use serde_json::Value;

pub(crate) use logs::log;

const SCENARIOS: u64 = 4_000;
const START: u64 = 1_795_308_480_000;
const NAMES: [&[&str]; 3] =
    [&["os", "browser"], &["cdn", "app_version", "arm"], &["stream", "format", "content"]];
/// Lists of breakdowns that one tenant may have instead of the common list. They have another order, fewer dimensions,
/// or dimensions that no other tenant has.
const OWN: [&[&[&str]]; 5] = [
    &[&["arm", "os"], &["plan"]],
    &[&["content", "stream"], &["cdn", "browser"]],
    &[&["cdn"]],
    &[&["os"], &["player", "app", "cdn"]],
    &[&["cdn"], &["error_code", "os"]],
];

/// Returns random settings.
pub(crate) fn settings(dice: &mut Random) -> oracle::Settings {
    let settings = oracle::Settings {
        tenants: vec!["one".into(), "two".into()],
        default_tenant: "one".into(),
        window: 10_000,
        lateness: 1_000 * dice.below(8),
        idle: 1_000 + 1_000 * dice.below(30),
        max_skew: 2_000,
        whole_history: dice.one_in(2),
        child_directed_tenants: if dice.one_in(8) { vec!["two".into()] } else { vec![] },
        child_directed_content: if dice.one_in(4) { vec!["kids".into()] } else { vec![] },
        k: 1 + dice.below(6),
        breakdowns: strings(&NAMES),
        noise: 1 + dice.below(12),
        own: match dice.below(9) {
            0..4 => BTreeMap::new(),
            list => {
                let (k, breakdowns) = (1 + dice.below(8), strings(OWN[list as usize - 4]));
                let has_codes = breakdowns.iter().flatten().any(|name| name == "error_code");
                let detail = if has_codes { oracle::Detail::Last } else { detail(breakdowns.len(), dice) };
                let margin = margin(k, dice);
                BTreeMap::from([("two".into(), oracle::TenantRules { k, breakdowns, detail, margin })])
            }
        },
        detail: detail(NAMES.len(), dice),
        custom: custom(dice),
        quality: quality(dice),
        own_quality: if dice.one_in(3) {
            BTreeMap::from([("two".into(), quality(dice))])
        } else {
            BTreeMap::new()
        },
        ..oracle::Settings::default()
    };
    oracle::Settings { margin: margin(settings.k, dice), ..settings }
}

/// Returns random custom dimensions: `arm` for all tenants, which tenant `two` may replace by its own, and `plan` for
/// tenant `two` only.
fn custom(dice: &mut Random) -> Vec<oracle::Custom> {
    let arm = |tenant: Option<&str>, values: Option<&[&str]>| oracle::Custom {
        name: "arm".into(),
        tenant: tenant.map(Into::into),
        json: vec!["trial".into(), "arm".into()],
        cmcd: "com.example-arm".into(),
        values: values.map(|values| values.iter().map(ToString::to_string).collect()),
    };
    let plan = oracle::Custom {
        name: "plan".into(),
        json: vec!["plan".into()],
        cmcd: "com.example-plan".into(),
        ..arm(Some("two"), None)
    };
    let mut custom = vec![arm(None, Some(&["A", "B"])), plan];
    match dice.below(4) {
        0 => custom.push(arm(Some("two"), None)),
        1 => custom.push(arm(Some("two"), Some(&["C", "a"]))),
        _ => {}
    }
    custom
}

/// Converts the custom dimensions of the oracle to the type that the operators use. Returns them and their sources.
fn customs(settings: &oracle::Settings) -> (CustomDimensions, Vec<CustomSource>) {
    let (mut common, mut own) = (BTreeMap::new(), BTreeMap::new());
    let mut sources = Vec::new();
    for custom in &settings.custom {
        let source =
            CustomSource { json: Some(custom.json.clone()), cmcd: Some(custom.cmcd.clone()), log: None };
        let index = sources.iter().position(|known| *known == source).unwrap_or_else(|| {
            sources.push(source);
            sources.len() - 1
        });
        let values = custom.values.clone().map_or(CustomValues::Open, CustomValues::Closed);
        let dimension = Custom::dimension(&custom.name, index, None, &values).unwrap();
        let list = if custom.tenant.is_some() { &mut own } else { &mut common };
        list.insert(custom.name.clone(), dimension);
    }
    let of_two = common.clone().into_iter().chain(own).collect::<BTreeMap<_, _>>();
    let list = |list: BTreeMap<String, Dimension>| list.into_values().collect();
    (CustomDimensions::new(list(common), [("two".into(), list(of_two))]), sources)
}

/// Returns random thresholds for a good session. Some sessions of the logs satisfy them, and others do not.
fn quality(dice: &mut Random) -> oracle::Quality {
    oracle::Quality {
        startup_ms: dice.below(9_000),
        rebuffering: dice.below(700_000),
        bitrate_kbps: if dice.one_in(2) { 0 } else { dice.below(6_000) },
    }
}

/// Converts the thresholds for a good session to the type that the combiner uses.
fn qualities(settings: &oracle::Settings) -> Qualities {
    let quality = |quality: &oracle::Quality| Quality {
        startup_ms: quality.startup_ms as u32,
        rebuffering_millionths: quality.rebuffering as u32,
        bitrate_kbps: quality.bitrate_kbps as u32,
    };
    let own = settings.own_quality.iter().map(|(tenant, own)| (tenant.clone(), quality(own)));
    Qualities::new(quality(&settings.quality), own)
}

/// Returns a random choice of the detail table, which is usually the last table.
fn detail(breakdowns: usize, dice: &mut Random) -> oracle::Detail {
    match dice.below(4) {
        0 => oracle::Detail::None,
        1 => oracle::Detail::Index(dice.below(breakdowns as u64) as usize),
        _ => oracle::Detail::Last,
    }
}

/// Returns a random margin of at most k/2, or `None` for the default.
fn margin(k: u64, dice: &mut Random) -> Option<u64> {
    dice.one_in(2).then(|| dice.below(k / 2 + 1))
}

fn strings(breakdowns: &[&[&str]]) -> Vec<Vec<String>> {
    breakdowns.iter().map(|names| names.iter().map(ToString::to_string).collect()).collect()
}

/// Runs the combiner and the merger without a secret. Returns the rows and the ledger.
pub(crate) fn operators(logs: &[Vec<oracle::Record>], settings: &oracle::Settings) -> (Vec<Value>, Ledger) {
    operators_with(logs, settings, None)
}

/// Converts the settings of the oracle to the common policy and the policies of tenants.
fn policies(settings: &oracle::Settings, secret: Option<&Secret>) -> Policies {
    let (custom, _) = customs(settings);
    let policy = |tenant: &str, detail| {
        let named = |name: &String| custom.named(tenant, name).unwrap();
        let dimensions = |names: &Vec<String>| names.iter().map(named).collect();
        let settings = PolicySettings {
            k: settings.k_of(tenant),
            allow_small_k: true,
            breakdowns: settings.breakdowns_of(tenant).iter().map(dimensions).collect(),
            detail: match detail {
                oracle::Detail::Last => Detail::Last,
                oracle::Detail::None => Detail::None,
                oracle::Detail::Index(index) => Detail::Index(index),
            },
            margin: settings.own.get(tenant).map_or(settings.margin, |own| own.margin),
            noise: settings.noise,
            ..PolicySettings::default()
        };
        Policy::threshold(settings).unwrap()
    };
    let detail_of = |tenant: &str| settings.own.get(tenant).map_or(settings.detail, |own| own.detail);
    // A tenant may have its own custom dimension in a common breakdown.
    let own = settings.tenants.iter().map(|tenant| (tenant.clone(), policy(tenant, detail_of(tenant))));
    // The empty name stands for the common policy, because no tenant has an empty name.
    let policies = Policies::new(policy("", settings.detail), own);
    match secret {
        Some(secret) => policies.keyed(secret),
        None => policies,
    }
}

/// Converts the settings of the oracle to the settings of the airlock.
fn airlock_settings(settings: &oracle::Settings) -> Settings {
    let (custom, custom_sources) = customs(settings);
    Settings {
        tenants: settings.tenants.clone(),
        custom,
        custom_sources,
        max_skew: Span::from_millis(settings.max_skew),
        child_directed_tenants: settings.child_directed_tenants.clone(),
        child_directed_content: settings.child_directed_content.clone(),
        ..Settings::default()
    }
}

/// Runs the combiner and the merger. Returns the rows and the ledger.
fn operators_with(
    logs: &[Vec<oracle::Record>],
    settings: &oracle::Settings,
    secret: Option<&Secret>,
) -> (Vec<Value>, Ledger) {
    let policies = policies(settings, secret);
    let rules = Arc::new(Rules {
        window: Span::from_millis(settings.window),
        lateness: Span::from_millis(settings.lateness),
        idle: Span::from_millis(settings.idle),
        breakdowns: policies.breakdowns(),
        qualities: qualities(settings),
        max_sessions: 1_000,
    });
    let partial_partitions = 2;
    let merge = Arc::new(MergerSettings {
        rules: Arc::clone(&rules),
        partial_partitions,
        policies,
        timeout: Span::MAX,
    });
    let shared = Arc::new(Shared::new(airlock_settings(settings), SessionHasher::fixed(3)).unwrap());
    let combine = Arc::new(CombinerSettings {
        rules,
        partitions: logs.len() as u32,
        partial_partitions,
        tenants: settings.tenants.clone(),
        topic: "beacons".into(),
        trust_timestamps: false,
        max_skew: Span::from_millis(settings.max_skew),
        idle_timeout: Span::ZERO,
    });
    fn fresh<C>(partition: u32) -> Start<C> {
        Start { partition, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false }
    }
    let end = Timestamp::from_millis(2 * START);
    let mut mergers: Vec<_> = (0..partial_partitions)
        .map(|m| Merger::new(Arc::clone(&merge), &fresh(m), 0, Timestamp::EPOCH))
        .collect();
    let mut counts = Counts::default();
    for (partition, log) in logs.iter().enumerate() {
        let airlock = Airlock::new(&shared, None);
        // If the history is not complete, the log begins with offset 1, so an earlier record is missing.
        let first = i64::from(!settings.whole_history);
        let mut combiner =
            Combiner::new(Arc::clone(&combine), airlock, &fresh(partition as u32), first, false);
        for (offset, record) in log.iter().enumerate() {
            let record = Record {
                payload: &record.payload,
                content_type: record.content_type(),
                timestamp: record.timestamp.map(Timestamp::from_millis),
            };
            combiner.buffer(&record, first + offset as i64, end).unwrap();
            // The combiner inserts some records one by one, and others in groups. The result must be the same.
            if (offset + partition) % 7 < 3 {
                combiner.insert_buffered();
                assert!(combiner.balanced());
            }
        }
        combiner.at_end(end);
        for (offset, partial) in combiner.prepared().iter().flat_map(|batch| &batch.partials).enumerate() {
            mergers[partial.partition as usize]
                .record(&partial.value, offset as i64, Timestamp::EPOCH)
                .unwrap();
        }
        combiner.mark_committed();
        counts.add(combiner.totals());
    }
    let (rows, merged) = published(&mut mergers);
    (rows, Ledger { counts, merged })
}

/// Publishes all windows. Returns the rows, and the sums of the counts of all mergers.
fn published(mergers: &mut [Merger]) -> (Vec<Value>, MergeCounts) {
    let (mut rows, mut merged) = (Vec::new(), MergeCounts::default());
    for merger in mergers {
        while let Some(publication) = merger.publish(Timestamp::EPOCH) {
            rows.extend(publication.rollups.iter().map(|row| serde_json::from_slice(&row.json()).unwrap()));
            merger.committed();
        }
        assert!(merger.balanced());
        merged.add(merger.merged());
    }
    (rows, merged)
}

/// Returns the rows by tenant, window, breakdown and dimension values. Histograms are removed, because the oracle does
/// not compute them. Asserts that no row occurs twice.
fn sorted(rows: Vec<Value>) -> BTreeMap<String, Value> {
    let key = |row: &Value| {
        format!("{} {} {} {}", row["tenant"], row["window"], row["breakdown"], row["dimensions"])
    };
    let mut by_key = BTreeMap::new();
    for mut row in rows {
        remove_histograms(&mut row);
        assert!(by_key.insert(key(&row), row).is_none(), "a row is published twice");
    }
    by_key
}

/// Returns a description of each difference. Each description contains the value of combiner and merger first, and then
/// the value of the oracle.
fn differences(rows: Vec<Value>, expected: Vec<Value>) -> Vec<String> {
    let (rows, expected) = (sorted(rows), sorted(expected));
    let keys = rows.keys().chain(expected.keys().filter(|key| !rows.contains_key(*key)));
    let fields = |key: &String| match (rows.get(key), expected.get(key)) {
        (Some(row), Some(theirs)) => {
            let other =
                row.as_object().unwrap().iter().filter(|(name, value)| theirs[name.as_str()] != **value);
            other.map(|(name, value)| format!("{key} {name}: {value} {}", theirs[name.as_str()])).collect()
        }
        (here, _) => {
            vec![format!(
                "{key}: only in the output of the {}",
                if here.is_some() { "operators" } else { "oracle" }
            )]
        }
    };
    keys.flat_map(fields).collect()
}

#[test]
fn operators_equal_the_oracle() {
    let (mut rows_seen, mut own_seen) = (0, 0);
    for seed in 0..SCENARIOS {
        let mut dice = Random::new(seed);
        let settings = settings(&mut dice);
        let logs: Vec<_> =
            (0..1 + dice.below(3)).map(|partition| log(partition as usize, &mut dice)).collect();
        let expected = oracle::evaluate(&logs, &settings);
        let (rows, _) = operators(&logs, &settings);
        rows_seen += rows.len();
        let is_own = |row: &&Value| settings.own.contains_key(row["tenant"].as_str().unwrap());
        own_seen += rows.iter().filter(is_own).count();
        assert_eq!(differences(rows, expected.rollups(&settings)), Vec::<String>::new(), "seed {seed}");
    }
    assert!(rows_seen > 10_000, "{rows_seen} rows are too few");
    assert!(own_seen > 1_000, "{own_seen} rows of tenants with their own tables are too few");
}
