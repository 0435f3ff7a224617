//! Fetches Kafka's jars with Maven. They are kept in a cache, together with an archive of loaded classes. The archive
//! halves the start time of a broker.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::Broker;
use super::{free_port, properties, run};

const POM: &str = include_str!("../../kafka/pom.xml");
const INSTALL: &str = "tests run against a real Kafka: they need Java 17 or later and Maven on the PATH \
                       (Debian and Ubuntu: apt-get install openjdk-17-jre-headless maven)";

/// The class path of Kafka, and the archive of its classes.
#[derive(Clone, Debug)]
pub(super) struct Jars {
    class_path: String,
    archive: Option<PathBuf>,
}

impl Jars {
    /// Returns the jars from the cache. If the cache does not contain them, fetches them with Maven first. Several
    /// processes may call this function at the same time.
    pub(super) fn fetch() -> Self {
        let cache = cache();
        let libs = cache.join("libs");
        let archive = cache.join("broker.jsa");
        if !libs.is_dir() || !archive.is_file() {
            std::fs::create_dir_all(&cache)
                .unwrap_or_else(|error| panic!("cannot create {}: {error}", cache.display()));
            // One process fetches the jars, and the others wait for the lock. Jars are downloaded to a temporary
            // directory, which is renamed when it is complete.
            let lock = File::create(cache.join("lock")).expect("the creation of a file in the cache");
            lock.lock().expect("a lock on a file in the cache");
            if !libs.is_dir() {
                download(&cache, &libs);
            }
            if !archive.is_file() {
                archive_classes(&cache, &Self { class_path: class_path(&libs), archive: None }, &archive);
            }
        }
        Self { class_path: class_path(&libs), archive: archive.is_file().then_some(archive) }
    }

    /// Returns a `java` command with the arguments of [`Self::flags`].
    pub(super) fn java(&self) -> Command {
        let mut command = Command::new("java");
        command.args(self.flags());
        command
    }

    /// Returns the arguments of `java` that precede the name of the class: the class path, and flags for a small
    /// process that starts fast.
    pub(super) fn flags(&self) -> Vec<String> {
        let mut flags: Vec<String> = [
            "-Xms64m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xlog:disable",
            "-Xlog:all=error:stderr",
        ]
        .map(Into::into)
        .into();
        if let Some(archive) = &self.archive {
            flags.push(format!("-XX:SharedArchiveFile={}", archive.display()));
        }
        flags.extend(["-cp".into(), self.class_path.clone()]);
        flags
    }
}

/// Returns the path of the cache: `${XDG_CACHE_HOME:-~/.cache}/crowdfold-kafka/VERSION`.
#[expect(clippy::disallowed_methods, reason = "the environment sets the location of the cache")]
fn cache() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    let version = POM.split("<kafka.version>").nth(1).and_then(|rest| rest.split('<').next());
    base.expect("a value of HOME or XDG_CACHE_HOME")
        .join("crowdfold-kafka")
        .join(version.expect("the version of Kafka in pom.xml"))
}

fn download(cache: &Path, libs: &Path) {
    let java = Command::new("java").arg("-version").output().unwrap_or_else(|_| panic!("no java: {INSTALL}"));
    let java = String::from_utf8_lossy(&java.stderr).into_owned();
    assert!(major(&java).is_some_and(|major| major >= 17), "java is too old: {INSTALL}");
    let dir = tempfile::Builder::new()
        .prefix("fetch-")
        .tempdir_in(cache)
        .expect("the creation of a directory in the cache");
    let (pom, jars) = (dir.path().join("pom.xml"), dir.path().join("libs"));
    std::fs::write(&pom, POM).expect("the creation of a file in the cache");
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "dependency:copy-dependencies", "-f"]).arg(&pom);
    maven.arg(format!("-DoutputDirectory={}", jars.display())).current_dir(dir.path());
    match maven.output() {
        Err(_) => panic!("no mvn: {INSTALL}"),
        Ok(output) if !output.status.success() => {
            panic!("Maven could not fetch Kafka's jars:\n{}", String::from_utf8_lossy(&output.stdout));
        }
        Ok(_) => std::fs::rename(jars, libs).expect("a rename in the cache"),
    }
}

/// Returns the major version in the output of `java -version`, such as 17 for `openjdk version "17.0.12"`.
fn major(version: &str) -> Option<u32> {
    version.split('"').nth(1)?.split(['.', '-']).next()?.parse().ok()
}

/// Returns the class path: the paths of all jars, sorted by name. The paths are sorted because the archive of classes
/// is valid only for exactly the same class path.
fn class_path(libs: &Path) -> String {
    let entries = std::fs::read_dir(libs).expect("the jars in the cache");
    let mut jars: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .filter(|jar| jar.ends_with(".jar"))
        .collect();
    jars.sort();
    assert!(
        !jars.is_empty(),
        "{} contains no jars; delete the directory, and the jars are fetched again",
        libs.display()
    );
    jars.join(":")
}

/// Starts a broker and shuts it down, because the JVM writes the archive of its loaded classes on exit. Without an
/// archive, brokers start more slowly.
fn archive_classes(cache: &Path, jars: &Jars, archive: &Path) {
    let dir = tempfile::Builder::new()
        .prefix("archive-")
        .tempdir_in(cache)
        .expect("the creation of a directory in the cache");
    let home = dir.path().join("broker-1");
    std::fs::create_dir(&home).expect("the creation of a directory in the cache");
    let text = properties::server(1, &[(free_port(), free_port())], &home, &Default::default());
    std::fs::write(home.join("server.properties"), text).expect("the creation of a file in the cache");
    let written = dir.path().join("jsa");
    let mut broker = Broker::new(home);
    let ready = broker.format(jars, "crowdfold000000000000A", &[]).and_then(|()| {
        broker.launch(jars, dir.path(), &[format!("-XX:ArchiveClassesAtExit={}", written.display())]);
        broker.await_ready()
    });
    ready.unwrap_or_else(|error| panic!("{error}"));
    broker.stop();
    if written.is_file() {
        std::fs::rename(written, archive).expect("a rename in the cache");
    }
}

/// Runs a class of Kafka, and returns its output. If `java` is missing, the error names the package to install.
pub(super) fn run_class(jars: &Jars, arguments: &[&str]) -> Result<String, String> {
    run(jars.java().args(arguments)).map_err(|output| {
        if output.contains("No such file") { format!("no java: {INSTALL}") } else { output }
    })
}
