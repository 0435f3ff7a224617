use super::*;
use crate::address::tests::{Temporary, mmdb, nested};
use crate::{Airlock, Record};
use crowdfold_model::Dimension;

fn refusal(settings: Settings) -> String {
    let Err(error) = Shared::new(settings, SessionHasher::fixed(1)) else { panic!("taken") };
    error.to_string()
}

#[test]
fn contradictory_settings_are_refused() {
    let fields = [("sessoin".to_owned(), vec!["x".to_owned()])].into_iter().collect();
    assert!(refusal(Settings { fields, ..Settings::default() }).contains("`sessoin`"));
    assert!(
        refusal(Settings { tenants: Vec::new(), ..Settings::default() })
            .starts_with("the list of tenants has 0 names")
    );
    assert!(
        refusal(Settings { default_tenant: 1, ..Settings::default() })
            .starts_with("the default tenant is not in")
    );
    let country_mmdb = Some("/nonexistent/x.mmdb".into());
    assert!(refusal(Settings { country_mmdb, ..Settings::default() }).contains("/nonexistent/x.mmdb"));
}

#[test]
fn databases_are_reloaded_without_a_restart() {
    let file = Temporary::new("reload", &mmdb::file(&[]));
    let settings = Settings { country_mmdb: Some(file.0.clone()), ..Settings::default() };
    let shared = Arc::new(Shared::new(settings, SessionHasher::fixed(1)).unwrap());
    let mut airlock = Airlock::new(&shared, None);
    let mut country = || {
        let payload = br#"{"ts":1,"session":"s","ip":"198.51.100.7"}"#;
        let mut found = None;
        airlock.admit(&Record { payload, content_type: None, timestamp: None }, &mut |_, outcome| {
            found = outcome.ok().map(|observation| observation.dimension(Dimension::Country));
        });
        airlock.dictionary().word(found.unwrap()).to_string()
    };
    assert_eq!(country(), "unknown");
    std::fs::write(&file.0, nested()).unwrap();
    assert_eq!(country(), "unknown");
    shared.reload().unwrap();
    assert_eq!(country(), "DE");
    std::fs::write(&file.0, b"damaged").unwrap();
    assert!(shared.reload().is_err());
    assert_eq!(country(), "DE");
}
