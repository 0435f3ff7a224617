//! Creates a certificate authority for tests, and signed certificates, with the openssl command.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;

const INSTALL: &str =
    "tests of a secured broker need the openssl command (Debian and Ubuntu: apt-get install openssl)";

/// A certificate authority for tests. All of its files are in one directory.
#[derive(Debug)]
pub struct Authority {
    dir: PathBuf,
}

/// A certificate and its key, both as PEM files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The path of the certificate.
    pub certificate: PathBuf,
    /// The path of the private key, in the format PKCS #8.
    pub key: PathBuf,
}

impl Authority {
    /// Creates an authority in a new directory.
    ///
    /// # Panics
    /// If the directory exists, or if the openssl command is missing.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        std::fs::create_dir(dir).expect("the creation of a directory for certificates");
        let authority = Self { dir: dir.into() };
        let key = authority.path("ca.key");
        openssl(
            &["req", "-x509", "-days", "30", "-subj", "/CN=crowdfold-test-ca", "-keyout", &key, "-out"],
            &[&authority.path("ca.pem")],
        );
        authority
    }

    /// Returns the path of the authority's own certificate.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Creates a certificate for the address 127.0.0.1 with the subject `CN=name`. It is valid for 30 days.
    ///
    /// # Panics
    /// If OpenSSL does not create it.
    #[must_use]
    pub fn certificate(&self, name: &str) -> Certificate {
        self.certificate_for(name, 30)
    }

    /// Creates a certificate that is valid for `days` days. If `days` is -1, the certificate expired yesterday.
    ///
    /// # Panics
    /// If OpenSSL does not create it.
    #[must_use]
    pub fn certificate_for(&self, name: &str, days: i32) -> Certificate {
        let file = |ending: &str| self.path(&format!("{name}{days}.{ending}"));
        let (key, request, certificate) = (file("key"), file("csr"), file("crt"));
        let subject = format!("/CN={name}");
        let names = "subjectAltName=IP:127.0.0.1,DNS:localhost";
        openssl(&["req", "-subj", &subject, "-addext", names, "-keyout", &key, "-out"], &[&request]);
        let days = days.to_string();
        let signed = [
            "x509",
            "-req",
            "-copy_extensions",
            "copy",
            "-days",
            &days,
            "-in",
            &request,
            "-out",
            &certificate,
        ];
        let by = ["-CA", &self.path("ca.pem"), "-CAkey", &self.path("ca.key"), "-CAcreateserial"];
        execute(&[&signed[..], &by[..]].concat());
        Certificate { certificate: certificate.into(), key: key.into() }
    }

    /// Creates a certificate for a broker. Returns the path of a file with its key and the certificate, which is the
    /// format of a PEM keystore of Kafka.
    pub(super) fn keystore(&self, name: &str, days: i32) -> PathBuf {
        let made = self.certificate_for(name, days);
        let parts = [made.key, made.certificate]
            .map(|part| std::fs::read(part).expect("the file that OpenSSL wrote"));
        let path = self.dir.join(format!("{name}{days}.pem"));
        std::fs::write(&path, parts.concat()).expect("the creation of a file");
        path
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

/// Runs an openssl command that generates a new key.
fn openssl(arguments: &[&str], more: &[&str]) {
    let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    execute(&[arguments, more, &new[..]].concat());
}

/// Runs the openssl command, and returns its output.
pub(crate) fn execute(arguments: &[&str]) -> String {
    run(Command::new("openssl").args(arguments)).unwrap_or_else(|output| {
        let missing = if output.contains("No such file or directory") { INSTALL } else { "" };
        panic!("openssl {arguments:?} failed:\n{output}\n{missing}")
    })
}
