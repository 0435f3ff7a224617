use super::*;

const SECRET: &str = "hunter2-0123456789";

#[test]
fn no_error_quotes_a_secret() {
    for text in [
        format!("[kafka.properties]\nsasl.password = {SECRET}\n"),
        format!("[kafka.properties]\nsasl.password = \"{SECRET}\n"),
        format!("[kafka.properties]\nsasl.password = \"\\q{SECRET}\"\n"),
        format!("[kafka.properties]\nsasl.password = \"{SECRET}\" \"{SECRET}\"\n"),
        format!("[kafka.properties]\nsasl.password = \"{SECRET}\"\nsasl.password = \"{SECRET}\"\n"),
        format!("[kafka.properties]\nsasl.password = [\"{SECRET}\"]\n"),
        format!("[kafka.eraser]\nsasl.password = [\"{SECRET}\"]\n"),
        format!("[kafka.properties]\ngroup.id = \"{SECRET}\"\n"),
        format!("[kafka]\nproperties = \"{SECRET}\"\n"),
        format!("[kafka]\neraser = [\"{SECRET}\"]\n"),
        format!("[kafka]\npassword = \"{SECRET}\"\n"),
        format!("[kafka.propertys]\nsasl.password = \"{SECRET}\"\n"),
        format!("[audit]\nknown = \"{SECRET}\"\n"),
        format!("[audit]\nknown = [[\"{SECRET}\"]]\n"),
        format!("audit = \"{SECRET}\"\n"),
    ] {
        let message = load(&text).err().unwrap_or_else(|| panic!("accepted: {text}")).to_string();
        assert!(!message.contains("hunter2"), "{message}");
        assert!(message.starts_with("x.toml:"), "{message}");
    }
    for name in ["KAFKA__PROPERTIES__GROUP_ID", "KAFKA__PASSWORD", "KAFKA__PROPERTIES", "AUDIT__KNOW"] {
        let name = format!("CROWDFOLD_{name}");
        let message = load_environment(&[(&name, SECRET)]).err().unwrap().to_string();
        assert!(!message.contains("hunter2"), "{message}");
        assert!(message.starts_with(&format!("{name}: ")), "{message}");
    }
}

#[test]
fn secrets_are_masked_in_debug_and_in_the_effective_configuration() {
    let text = format!(
        "[kafka.properties]\nsasl.password = \"{SECRET}\"\nssl.key.password = \"{SECRET}\"\nssl.key.pem = \"{SECRET}\"\n\
         sasl.oauthbearer.config = \"{SECRET}\"\n[audit]\nknown = [\"{SECRET}\", \"other-{SECRET}\"]\n"
    );
    let loaded = load(&text).unwrap();
    assert!(!loaded.effective().contains("hunter2"), "{}", loaded.effective());
    assert_eq!(loaded.effective().matches("********").count(), 6);
    assert!(!format!("{:?}", loaded.settings).contains("hunter2"));
    assert_eq!(loaded.settings.audit.known, [SECRET.to_owned(), format!("other-{SECRET}")]);
    let properties = loaded.settings.kafka.properties.resolve("kafka.properties").unwrap();
    assert!(properties.iter().all(|(_, value)| value == SECRET) && properties.len() == 4);
}

#[test]
fn properties_of_the_eraser_are_separate_from_properties_of_other_clients() {
    let text = format!(
        "[kafka.properties]\nsasl.username = \"worker\"\n[kafka.eraser]\nsasl.username = \"eraser\"\n\
         sasl.password = \"{SECRET}\"\n"
    );
    let shown = load(&text).unwrap().effective();
    let section = "[kafka.eraser]\n\"sasl.username\" = \"eraser\" # x.toml:4\n\"sasl.password\" = \"********\" # x.toml:5\n";
    assert!(shown.contains(section), "{shown}");
    let loaded = load_environment(&[("CROWDFOLD_KAFKA__ERASER__SASL_PASSWORD", SECRET)]).unwrap();
    let resolved = loaded.settings.kafka.eraser.resolve("kafka.eraser").unwrap();
    assert_eq!(resolved, [("sasl.password".into(), SECRET.into())]);
    assert!(!loaded.effective().contains("hunter2"));
}

#[test]
fn property_in_a_file_is_read_when_a_client_is_created() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    let text = format!("[kafka.properties]\nsasl.password = \"file:{}\"\n", path.display());
    let loaded = load(&text).unwrap();
    assert!(loaded.effective().contains(&format!("\"sasl.password\" = \"file:{}\"", path.display())));
    let resolve = || loaded.settings.kafka.properties.resolve("kafka.properties");
    assert_eq!(
        resolve().unwrap_err().to_string(),
        format!(
            "{}: kafka.properties.sasl.password names this file, which cannot be read: there is no such file",
            path.display()
        )
    );
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    assert_eq!(resolve().unwrap(), [("sasl.password".into(), SECRET.into())]);
}

#[test]
fn secret_of_the_noise_must_be_64_hexadecimal_digits_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    let text = format!("[release.privacy]\nsecret_file = \"{}\"\n", path.display());
    let loaded = load(&text).unwrap();
    assert!(loaded.read_secret().unwrap_err().to_string().contains("cannot be read"));
    for wrong in [SECRET.to_owned(), "0f".repeat(31), "0g".repeat(32), "0f".repeat(33)] {
        std::fs::write(&path, &wrong).unwrap();
        let message = loaded.read_secret().unwrap_err().to_string();
        assert!(message.contains("64 hexadecimal digits") && !message.contains(&wrong), "{message}");
    }
    std::fs::write(&path, format!("{}\n", "0f".repeat(32))).unwrap();
    assert_eq!(loaded.read_secret().unwrap(), [0x0f; 32]);
    assert!(load("").unwrap().read_secret().unwrap_err().to_string().contains("names no file"));
}
