//! Tests the invariants in docs/internals/architecture.md that concern the airlock, with random beacons.

use crowdfold_airlock::{AddressPolicy, Format, Settings};
use crowdfold_model::{Partitioner, Timestamp};
use proptest::prelude::*;

use crate::seen::{Outcome, admit, airlock};

const NOW: u64 = 1_795_308_528_421;

fn settings(format: Format) -> Settings {
    Settings { format, tenants: vec!["acme".into(), "blip".into()], ..Settings::default() }
}

fn format() -> impl Strategy<Value = Format> {
    prop::sample::select(vec![Format::Json, Format::Cmcd, Format::Capture])
}

/// Generates a beacon in which `{ip}` and `{session}` are placeholders for the address and the session.
fn beacon() -> impl Strategy<Value = String> {
    (
        prop::option::of(prop::sample::select(vec!["acme", "blip", "nobody", ""])),
        0..3_u64,
        prop::sample::select(vec!["attempt", "play", "heartbeat", "error", "end", "x"]),
        "[a-zA-Z0-9 .@-]{0,20}",
        prop::option::of(0..100_000_u32),
        any::<bool>(),
    )
        .prop_map(|(tenant, later, event, content, rate, opt_out)| {
            let tenant = tenant.map_or(String::new(), |name| format!(r#""tenant":"{name}","#));
            let rate = rate.map_or(String::new(), |rate| format!(r#""bitrate_kbps":{rate},"#));
            let ts = NOW + later * 50_000;
            format!(
                r#"{{"ts":{ts},"session":"{{session}}",{tenant}{rate}"ip":"{{ip}}","event":"{event}","content":"{content}","opt_out":{opt_out}}}"#
            )
        })
}

fn record(beacons: &[String], session: &str, ip: &str) -> Vec<u8> {
    format!("[{}]", beacons.join(",")).replace("{session}", session).replace("{ip}", ip).into_bytes()
}

fn outcomes(settings: &Settings, beacons: &[String], session: &str, ip: &str) -> Vec<Outcome> {
    admit(&mut airlock(settings.clone()), &record(beacons, session, ip), Some(Timestamp::from_millis(NOW)))
}

fn v4() -> impl Strategy<Value = String> {
    any::<[u8; 4]>().prop_map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}"))
}

fn v6() -> impl Strategy<Value = String> {
    any::<[u16; 8]>().prop_map(|bits| bits.map(|group| format!("{group:x}")).join(":"))
}

proptest! {
    #[test]
    fn admitting_any_bytes_gives_at_least_one_outcome(payload: Vec<u8>, format in format(), timed: bool) {
        let outcomes = admit(&mut airlock(settings(format)), &payload, timed.then_some(Timestamp::from_millis(NOW)));
        prop_assert!(!outcomes.is_empty());
    }

    /// The text is a random mixture of parts of records in every form.
    #[test]
    fn admitting_a_mixture_of_forms_gives_at_least_one_outcome(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{\"ts\":1,\"session\":\"s\"}", "[", "]", ",", "\n", "{", "}", "\"", "sid=\"s\",ts=5", "CMCD=", "%22", "v=2,",
            "{\"received_at_ms\":5,\"query\":\"CMCD=sid%3D%22s%22\"}", "\\", "\u{feff}", "(1;v 2)", "\"headers\":{",
        ]), 0..12),
        format in format(),
    ) {
        let payload = parts.concat();
        prop_assert!(!admit(&mut airlock(settings(format)), payload.as_bytes(), None).is_empty());
    }

    #[test]
    fn every_beacon_has_one_outcome(beacons in prop::collection::vec(beacon(), 1..8)) {
        prop_assert_eq!(outcomes(&settings(Format::Json), &beacons, "s-1", "198.51.100.7").len(), beacons.len());
    }

    /// Tests the first part of invariant 2: if the settings do not use addresses, a change of the addresses does not
    /// change the result.
    #[test]
    fn addresses_do_not_change_the_result(beacons in prop::collection::vec(beacon(), 1..5), one in v4(), other in v6()) {
        let settings = settings(Format::Json);
        prop_assert_eq!(
            outcomes(&settings, &beacons, "s-1", &one),
            outcomes(&settings, &beacons, "s-1", &other)
        );
    }

    /// Tests the second part of invariant 2: if networks are kept and counted, a change of the host bits does not
    /// change the result.
    #[test]
    fn host_bits_do_not_change_the_result(beacons in prop::collection::vec(beacon(), 1..5), network: [u8; 3], hosts: [u8; 2], low: [u16; 2]) {
        let settings = Settings {
            address: AddressPolicy::Truncate,
            guard_key: Some([9; 32]),
            ..settings(Format::Json)
        };
        let [a, b, c] = network;
        let of = |ip: &str| outcomes(&settings, &beacons, "s-1", ip);
        let v4 = |host: u8| format!("{a}.{b}.{c}.{host}");
        prop_assert_eq!(of(&v4(hosts[0])), of(&v4(hosts[1])));
        prop_assert_eq!(of(&v4(hosts[0])), of(&format!("::ffff:{}", v4(hosts[1]))));
        let v6 = |low: u16| format!("2001:db8:{a:x}{b:02x}:{low:x}::{low:x}");
        prop_assert_eq!(of(&v6(low[0])), of(&v6(low[1])));
    }

    /// Tests invariant 3: a change of the session id changes the session hash and nothing else.
    #[test]
    fn session_id_changes_only_the_session_hash(beacons in prop::collection::vec(beacon(), 1..5), one in "[a-z]{8}", other in "[a-z]{9}") {
        let settings = settings(Format::Json);
        let untagged = |session: &str| {
            let mut outcomes = outcomes(&settings, &beacons, session, "198.51.100.7");
            outcomes.iter_mut().for_each(|(_, outcome)| if let Ok(seen) = outcome { seen.session_hash = 0 });
            outcomes
        };
        prop_assert_eq!(untagged(&one), untagged(&other));
    }

    /// The outcomes of an airlock that has admitted other beacons must equal those of a new airlock.
    #[test]
    fn outcomes_do_not_depend_on_beacons_that_were_admitted_before(beacons in prop::collection::vec(beacon(), 2..6), sweep: bool) {
        let mut used = airlock(settings(Format::Json));
        for beacon in &beacons {
            let one = std::slice::from_ref(beacon);
            let payload = record(one, "s-1", "198.51.100.7");
            prop_assert_eq!(
                admit(&mut used, &payload, Some(Timestamp::from_millis(NOW))),
                outcomes(&settings(Format::Json), one, "s-1", "198.51.100.7")
            );
            if sweep {
                used.sweep(std::iter::empty());
            }
        }
    }

    /// For each partitioner, a session must be admitted in exactly one partition, and rejected as misplaced in all
    /// others.
    #[test]
    fn session_is_admitted_in_exactly_one_partition(
        session in "[a-z0-9-]{1,40}",
        of in 1..13_u32,
        partitioner in prop::sample::select(vec![Partitioner::Murmur2, Partitioner::Crc32, Partitioner::Fnv1a]),
    ) {
        use crowdfold_airlock::{Airlock, Placement, SessionHasher, Shared};
        let shared = Shared::new(Settings { partitioner, ..settings(Format::Json) }, SessionHasher::fixed(7)).unwrap();
        let shared = std::sync::Arc::new(shared);
        let payload = format!(r#"{{"ts":5,"session":"x{session}"}}"#);
        let homes = (0..of).filter(|partition| {
            let mut airlock = Airlock::new(&shared, Some(Placement { partition: *partition, of }));
            admit(&mut airlock, payload.as_bytes(), None)[0].1.is_ok()
        });
        prop_assert_eq!(homes.count(), 1);
    }
}
