use super::*;

const SECRET: &str = "hunter2-0123456789";

#[test]
fn no_problem_quotes_a_secret() {
    for text in [
        format!("[kafka.properties]\nsasl.password = {SECRET}\n"),
        format!("[kafka.properties]\nsasl.password = \"{SECRET}\n"),
        format!("[kafka.properties]\nsasl.password = \"\\q{SECRET}\"\n"),
        format!("[kafka.properties]\nsasl.password = \"{SECRET}\" \"{SECRET}\"\n"),
        format!("[kafka.properties]\nsasl.password = \"{SECRET}\"\nsasl.password = \"{SECRET}\"\n"),
        format!("[kafka.properties]\nsasl.password = [\"{SECRET}\"]\n"),
        format!("[kafka.properties]\nsasl.pasword = \"{SECRET}\"\n"),
        format!("[kafka.properties]\nsecurity.protocol = \"{SECRET}\"\n"),
        format!("[kafka]\nproperties = \"{SECRET}\"\n"),
        format!("[kafka]\npassword = \"{SECRET}\"\n"),
        format!("[kafka.propertys]\nsasl.password = \"{SECRET}\"\n"),
    ] {
        let problem = config(&text).err().unwrap_or_else(|| panic!("accepted: {text}")).to_string();
        assert!(!problem.contains("hunter2"), "{problem}");
        assert!(problem.starts_with("x.toml:"), "{problem}");
    }
    let problem = from_environment(&[("CROWDFOLD_KAFKA__PROPERTIES__SASL_PASWORD", SECRET)]).err().unwrap();
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
}

#[test]
fn secrets_are_masked_wherever_a_configuration_is_shown() {
    let text = format!(
        "[kafka.properties]\nsasl.password = \"{SECRET}\"\nssl.key.password = \"{SECRET}\"\nssl.key.pem = \"{SECRET}\"\n\
         sasl.oauthbearer.config = \"{SECRET}\"\n"
    );
    let config = config(&text).unwrap();
    assert!(!config.effective().contains("hunter2"), "{}", config.effective());
    assert_eq!(config.effective().matches("********").count(), 4);
    assert!(!format!("{:?}", config.kafka).contains("hunter2"));
    assert!(config.kafka.properties.resolve().unwrap().iter().all(|(_, value)| value == SECRET));
}

#[test]
fn what_erases_has_properties_of_its_own_read_and_masked_like_the_others() {
    let text = format!(
        "[kafka.properties]\nsasl.username = \"worker\"\n[kafka.eraser]\nsasl.username = \"eraser\"\n\
         sasl.password = \"{SECRET}\"\n[ttl]\nerase_counted = true\n"
    );
    let config = config(&text).unwrap();
    let shown = config.effective();
    let section = "[kafka.eraser]\n\"sasl.password\" = \"********\" # x.toml:5\n\"sasl.username\" = \"eraser\" # x.toml:4\n";
    assert!(shown.contains(section), "{shown}");
    let eraser = crate::wiring::eraser(&config).unwrap().unwrap();
    assert_eq!(eraser.properties["sasl.username"], "eraser");
    assert_eq!(eraser.properties["sasl.password"], SECRET);
    assert_eq!(eraser.client_id, "crowdfold-host-1-eraser");
    assert_eq!(crate::wiring::client(&config).unwrap().properties["sasl.username"], "worker");

    check(
        "[kafka.eraser]\nacks = \"0\"\n",
        "x.toml:2: kafka.eraser.acks: is set by crowdfold: transactions rest on it; take it out",
    );
    let from = from_environment(&[("CROWDFOLD_KAFKA__ERASER__SASL_PASSWORD", SECRET)]).unwrap();
    assert_eq!(from.kafka.eraser.resolve().unwrap(), [("sasl.password".into(), SECRET.into())]);
    assert!(crate::wiring::eraser(&from).unwrap().is_none(), "nothing is erased unless it is asked for");
}

#[test]
fn a_secret_in_a_file_is_read_when_asked_for_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    let text = format!("[kafka.properties]\nsasl.password = \"file:{}\"\n", path.display());
    let config = config(&text).unwrap();
    let missing = config.kafka.properties.resolve().unwrap_err().to_string();
    assert_eq!(
        missing,
        format!("{}: kafka.properties.sasl.password: cannot be read: entity not found", path.display())
    );
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    assert_eq!(config.kafka.properties.resolve().unwrap(), [("sasl.password".into(), SECRET.into())]);
}

#[test]
fn the_secret_of_the_guard_is_64_digits_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    let text =
        format!("[release]\nguard_networks = 5\n[release.privacy]\nsecret_file = \"{}\"\n", path.display());
    let config = config(&text).unwrap();
    assert!(config.airlock().unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(&path, SECRET).unwrap();
    let problem = config.airlock().unwrap_err().to_string();
    assert!(problem.contains("64 hexadecimal digits") && !problem.contains("hunter2"), "{problem}");
    std::fs::write(&path, format!("{}\n", "0f".repeat(32))).unwrap();
    assert_eq!(config.airlock().unwrap().guard_key, Some([0x0f; 32]));
}

#[test]
fn the_secret_of_the_noise_is_read_when_rows_are_to_be_released_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    let text = format!(
        "[release]\npolicy = \"differential-privacy\"\n[release.privacy]\nsecret_file = \"{}\"\n[ttl]\nbeacons = \"3h\"\n",
        path.display()
    );
    let looked_at = config(&text).unwrap();
    assert_eq!((looked_at.windows.length, looked_at.policy().name()), (3_600_000, "differential-privacy"));
    let loaded_again = config(&looked_at.effective()).unwrap();
    assert_eq!(loaded_again.policy(), looked_at.policy());
    let problem = looked_at.clone().keyed().err().unwrap().to_string();
    assert!(problem.contains("release.privacy.secret_file: cannot be read"), "{problem}");
    std::fs::write(&path, SECRET).unwrap();
    let problem = looked_at.clone().keyed().err().unwrap().to_string();
    assert!(problem.contains("64 hexadecimal digits") && !problem.contains("hunter2"), "{problem}");
    let fingerprint = |digits: &str| {
        std::fs::write(&path, digits.repeat(32)).unwrap();
        let keyed = looked_at.clone().keyed().unwrap();
        assert!(!format!("{:?}", keyed.release).contains(&digits.repeat(3)));
        keyed.policy().fingerprint()
    };
    assert_ne!(fingerprint("0f"), fingerprint("0e"));
    // windows of a length that was asked for stay what they are
    let minutes = config(&format!("{text}[windows]\nlength = \"15m\"\n")).unwrap();
    assert_eq!(minutes.windows.length, 900_000);
}

#[test]
fn values_to_look_for_are_masked_and_reach_the_airlock() {
    let config = config(&format!("[audit]\nknown = [\"{SECRET}\", \"other-{SECRET}\"]\n")).unwrap();
    assert!(!config.effective().contains("hunter2"), "{}", config.effective());
    assert_eq!(config.effective().matches("********").count(), 2);
    assert!(!format!("{:?}", config.audit).contains("hunter2"));
    assert_eq!(config.airlock().unwrap().known, [SECRET.to_owned(), format!("other-{SECRET}")]);
    let short = "[audit]\nknown = [\"long enough\", \"abc\"]\n";
    check(
        short,
        "x.toml:2: audit.known: value 2 is shorter than 4 characters, which occur in everything; give whole values",
    );
    check(
        "[principals]\nbrokers = [\"*\"]\n",
        "x.toml:2: principals.brokers: * is everybody: name one principal",
    );
}
