//! Builds binaries of the workspace for tests that run them as processes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// Builds the package `name`, with the profile and the target directory of the running test. Returns the path of its
/// binary. A test process builds each binary once.
///
/// # Panics
/// If the build fails.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    binary_of(name, name)
}

/// Builds the binary `name` of a package, like [`binary`].
///
/// # Panics
/// If the build fails.
#[must_use]
pub fn binary_of(package: &str, name: &str) -> PathBuf {
    binary_with(package, name, "")
}

/// Builds the binary `name` of a package with these features, which are separated by commas. A binary with other
/// features must have another name, because each build overwrites the file with that name.
///
/// # Panics
/// If the build fails.
#[must_use]
pub fn binary_with(package: &str, name: &str, features: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let built = built.get_or_insert_default();
    built.entry(name.to_owned()).or_insert_with(|| build(package, name, features)).clone()
}

fn build(package: &str, name: &str, features: &str) -> PathBuf {
    // The path of a test is, for example, target/debug/deps/it-0123456789abcdef.
    let test = std::env::current_exe().expect("the path of the test");
    let profile_dir =
        test.parent().and_then(|deps| deps.parent()).expect("the test is in target/PROFILE/deps");
    let target_dir = profile_dir.parent().expect("the test is in target/PROFILE/deps");
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo sets these variables for the test. They are removed here, because some build scripts, such as the script of
    // ring, depend on them, and Cargo would build the dependencies again.
    let of_test = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_test)) {
        cargo.env_remove(name);
    }
    let output = cargo
        .args(["build", "--quiet", "--package", package, "--bin", name, "--profile", profile, "--target-dir"])
        .arg(target_dir)
        .args(["--features", features])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", env!("CARGO")));
    assert!(output.status.success(), "{name} does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    profile_dir.join(name)
}
