//! The target `configuration`: configuration files and environment variables.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{Seek as _, Write as _};

use crowdfold_config::{DEFAULT, Loaded, Sources};

const SECRET: &str = "correct-horse-battery";

/// Loads a configuration file and environment variables. The variables follow the file after a zero byte, one per line.
/// Asserts that neither an error message nor the effective configuration contains the secret.
pub fn check(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (file, variables) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let variables = String::from_utf8_lossy(variables);
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let mut environment: Vec<(OsString, OsString)> =
        variables.map(|(name, value)| (name.into(), value.into())).collect();
    environment.push(("CROWDFOLD_KAFKA__PROPERTIES__sasl.password".into(), SECRET.into()));
    let sources =
        Sources { file: Some(written(file)), environment, flags: Vec::new(), host: "host".to_owned() };
    match Loaded::load(&sources) {
        Ok(loaded) => {
            assert!(!loaded.effective().contains(SECRET));
            assert!(!format!("{:?}", loaded.settings).contains(SECRET));
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.is_empty() && !message.contains(SECRET), "{message}");
        }
    }
}

/// Writes the bytes to a file, and returns its path. All calls use the same file. If possible, the file is in memory.
fn written(bytes: &[u8]) -> std::path::PathBuf {
    thread_local! {
        static FILE: RefCell<Option<(std::path::PathBuf, std::fs::File)>> = const { RefCell::new(None) };
    }
    FILE.with_borrow_mut(|file| {
        let (path, file) = file.get_or_insert_with(|| {
            let memory = std::path::Path::new("/dev/shm");
            let directory = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
            let path = directory.join(format!("crowdfold-fuzz-{}.toml", std::process::id()));
            let file = std::fs::File::create(&path).unwrap();
            (path, file)
        });
        file.rewind().unwrap();
        file.set_len(0).unwrap();
        file.write_all(bytes).unwrap();
        path.clone()
    })
}

pub fn seeds() -> Vec<Vec<u8>> {
    let files = [
        include_str!("../../deploy/minimal.toml"),
        include_str!("../../deploy/existing-topic.toml"),
        include_str!("../../deploy/secured.toml"),
        include_str!("../../tests/data/scenario/config.toml"),
    ];
    let mut seeds: Vec<Vec<u8>> = files.iter().map(|file| file.as_bytes().to_vec()).collect();
    // The sections of the default configuration, without comments.
    let defaults = DEFAULT.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let defaults = defaults.collect::<Vec<_>>().join("\n");
    seeds.extend(
        defaults.split("\n[").map(|section| format!("[{}", section.trim_start_matches('[')).into_bytes()),
    );
    seeds.push(
        b"\0CROWDFOLD_RELEASE__K=100\nCROWDFOLD_WINDOWS__LENGTH=1m\nCROWDFOLD_RELEASE__BREAKDOWNS=[[\"os\"]]"
            .to_vec(),
    );
    seeds
}
