use std::sync::{Arc, Mutex};

use crowdfold_airlock::{Airlock, Record, SessionHasher};
use crowdfold_model::Dimension;
use tempfile::TempDir;

use super::*;
use mmdb::Data;

#[path = "../../../airlock/src/address/tests/mmdb.rs"]
mod mmdb;

/// A buffer that receives the log.
#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn countries(code: &'static str) -> Vec<u8> {
    mmdb::file(&[("198.51.100.0", 24, Data::Map(vec![("country_code", Data::Text(code))]))])
}

/// Returns the country that the airlock derives from the address in a beacon.
fn country(airlock: &mut Airlock) -> String {
    let payload = br#"{"ts":1,"session":"s","ip":"198.51.100.7"}"#;
    let mut found = None;
    airlock.admit(&Record { payload, content_type: None, timestamp: None }, &mut |_, outcome| {
        found = outcome.ok().map(|observation| observation.dimension(Dimension::Country));
    });
    airlock.dictionary().word(found.expect("an observation")).to_string()
}

#[test]
fn changed_database_is_loaded_but_a_damaged_one_is_only_logged_once() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("country.mmdb");
    std::fs::write(&path, countries("DE")).unwrap();
    let settings = Settings { country_mmdb: Some(path.clone()), ..Settings::default() };
    let mut databases = Databases::of(&settings);
    let shared = Arc::new(Shared::new(settings, SessionHasher::random()).unwrap());
    let mut airlock = Airlock::new(&shared, None);
    assert_eq!(country(&mut airlock), "DE");

    let captured = LogBuffer::default();
    let log = tracing_subscriber::fmt().with_writer(Mutex::new(captured.clone())).with_ansi(false);
    let log = tracing::Dispatch::new(log.finish());
    let mut now = Timestamp::EPOCH;
    let mut refresh = |shared: &Shared| {
        now += CHECK_INTERVAL;
        tracing::dispatcher::with_default(&log, || databases.refresh(shared, now));
        String::from_utf8(std::mem::take(&mut *captured.0.lock().unwrap())).unwrap()
    };
    assert_eq!(refresh(&shared), "");

    std::fs::write(&path, countries("SE")).unwrap();
    assert!(refresh(&shared).contains("databases were reloaded"));
    assert_eq!(country(&mut airlock), "SE");

    for damage in [&b"half a f"[..], b""] {
        std::fs::write(&path, damage).unwrap();
        let logged = refresh(&shared);
        assert!(
            logged.contains("WARN") && logged.contains("address.country_mmdb") && logged.contains("are kept"),
            "{logged}"
        );
        assert_eq!(refresh(&shared), "", "the warning is logged once");
        assert_eq!(country(&mut airlock), "SE");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(refresh(&shared).contains("are kept"));
    assert_eq!((refresh(&shared).as_str(), country(&mut airlock).as_str()), ("", "SE"));

    std::fs::write(&path, countries("NO")).unwrap();
    assert!(refresh(&shared).contains("databases were reloaded"));
    assert_eq!(country(&mut airlock), "NO");
}
