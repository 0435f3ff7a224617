use super::*;

const SECRET: &str = "hunter2-0123456789";

#[test]
fn eraser_has_separate_client_settings_and_exists_only_if_it_is_enabled() {
    let text = format!(
        "[kafka.properties]\nsasl.username = \"worker\"\n[kafka.eraser]\nsasl.username = \"eraser\"\n\
         sasl.password = \"{SECRET}\"\n[ttl]\nerase_counted = true\n"
    );
    let config = config(&text).unwrap();
    let eraser = crate::wiring::eraser(&config).unwrap().unwrap();
    assert_eq!(eraser.properties["sasl.username"], "eraser");
    assert_eq!(eraser.properties["sasl.password"], SECRET);
    assert_eq!(eraser.client_id, "crowdfold-host-1-eraser");
    assert_eq!(crate::wiring::client(&config).unwrap().properties["sasl.username"], "worker");
    let disabled = from_environment(&[("CROWDFOLD_KAFKA__ERASER__SASL_PASSWORD", SECRET)]).unwrap();
    assert!(
        crate::wiring::eraser(&disabled).unwrap().is_none(),
        "nothing is erased unless erase_counted is set"
    );
}

#[test]
fn airlock_reads_the_secret_if_min_networks_is_set() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    let text =
        format!("[release]\nmin_networks = 5\n[release.privacy]\nsecret_file = \"{}\"\n", path.display());
    let config = config(&text).unwrap();
    assert!(config.airlock().unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(&path, SECRET).unwrap();
    let message = config.airlock().unwrap_err().to_string();
    assert!(message.contains("64 hexadecimal digits") && !message.contains("hunter2"), "{message}");
    std::fs::write(&path, format!("{}\n", "0f".repeat(32))).unwrap();
    assert_eq!(config.airlock().unwrap().guard_key, Some([0x0f; 32]));
}

#[test]
fn loading_a_configuration_does_not_read_the_secret_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    let text = format!(
        "[release]\npolicy = \"differential-privacy\"\n[release.privacy]\nsecret_file = \"{}\"\n[ttl]\nbeacons = \"3h\"\n",
        path.display()
    );
    let loaded = config(&text).unwrap();
    assert_eq!((loaded.windows.length.as_secs(), loaded.policy().name()), (3_600, "differential-privacy"));
    assert_eq!(config(&loaded.effective()).unwrap().policy(), loaded.policy());
    let message = loaded.clone().keyed().err().unwrap().to_string();
    assert!(
        message.contains("release.privacy.secret_file names this file, which cannot be read"),
        "{message}"
    );
    std::fs::write(&path, SECRET).unwrap();
    let message = loaded.clone().keyed().err().unwrap().to_string();
    assert!(message.contains("64 hexadecimal digits") && !message.contains("hunter2"), "{message}");
    let fingerprint = |digits: &str| {
        std::fs::write(&path, digits.repeat(32)).unwrap();
        let keyed = loaded.clone().keyed().unwrap();
        assert!(!format!("{:?}", keyed.policies()).contains(&digits.repeat(3)));
        keyed.policy().fingerprint()
    };
    assert_ne!(fingerprint("0f"), fingerprint("0e"));
}

#[test]
fn values_of_audit_known_are_passed_to_the_airlock() {
    let config = config(&format!("[audit]\nknown = [\"{SECRET}\", \"other-{SECRET}\"]\n")).unwrap();
    assert_eq!(config.airlock().unwrap().known, [SECRET.to_owned(), format!("other-{SECRET}")]);
}
