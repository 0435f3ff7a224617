//! A throw-away authority and its certificates, made by OpenSSL's own tool.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;

const INSTALL: &str =
    "tests of a secured broker need the openssl command (Debian and Ubuntu: apt-get install openssl)";

/// An authority for tests. Its files lie in one directory, named by what they are for.
#[derive(Debug)]
pub struct Authority {
    dir: PathBuf,
}

/// A certificate with its key, PEM both.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, PKCS #8.
    pub key: PathBuf,
}

impl Authority {
    /// A new one, whose files go into a directory that is made.
    ///
    /// # Panics
    /// When the directory is there, or the openssl command is not.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        std::fs::create_dir(dir).expect("a directory for certificates");
        let authority = Self { dir: dir.into() };
        let key = authority.path("ca.key");
        openssl(
            &["req", "-x509", "-days", "30", "-subj", "/CN=crowdfold-test-ca", "-keyout", &key, "-out"],
            &[&authority.path("ca.pem")],
        );
        authority
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// A certificate that is good for a month, for 127.0.0.1 and for `CN=name`.
    ///
    /// # Panics
    /// When OpenSSL does not make it.
    #[must_use]
    pub fn certificate(&self, name: &str) -> Certificate {
        self.certificate_for(name, 30)
    }

    /// The same for so many days; one that was good until yesterday for -1.
    ///
    /// # Panics
    /// When OpenSSL does not make it.
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

    /// Key and certificate of a broker in one file, as Kafka's PEM keystore has them.
    pub(super) fn keystore(&self, name: &str, days: i32) -> PathBuf {
        let made = self.certificate_for(name, days);
        let parts = [made.key, made.certificate].map(|part| std::fs::read(part).expect("what OpenSSL wrote"));
        let path = self.dir.join(format!("{name}{days}.pem"));
        std::fs::write(&path, parts.concat()).expect("a file beside the certificates");
        path
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

/// `openssl req` with a new key.
fn openssl(arguments: &[&str], more: &[&str]) {
    let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    execute(&[arguments, more, &new[..]].concat());
}

/// Runs the openssl command and returns what it wrote.
pub(crate) fn execute(arguments: &[&str]) -> String {
    run(Command::new("openssl").args(arguments)).unwrap_or_else(|output| {
        let missing = if output.contains("No such file or directory") { INSTALL } else { "" };
        panic!("openssl {arguments:?} failed:\n{output}\n{missing}")
    })
}
