//! The TLS certificate and its key, reloaded when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::CollectorError;

/// The files of certificate and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate chain, as PEM.
    pub certificate: PathBuf,
    /// The private key, as PEM.
    pub key: PathBuf,
}

/// The modification time and the length of a file.
type Look = Option<(SystemTime, u64)>;

/// The certificate in use.
pub struct Certificates {
    files: Files,
    acceptor: RwLock<TlsAcceptor>,
    looked: Mutex<[Look; 2]>,
}

impl Certificates {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// [`CollectorError`].
    pub fn load(files: Files) -> Result<Arc<Self>, CollectorError> {
        let looked = Mutex::new(look(&files));
        Ok(Arc::new(Self { acceptor: RwLock::new(read(&files)?), files, looked }))
    }

    /// Reads the files again if one changed. Returns true if it did. New connections use the new certificate.
    ///
    /// # Errors
    /// [`CollectorError`]; the old certificate stays in use, and the next change is tried again.
    pub fn refresh(&self) -> Result<bool, CollectorError> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = look(&self.files);
        if now == *looked {
            return Ok(false);
        }
        *looked = now;
        let fresh = read(&self.files)?;
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn look(files: &Files) -> [Look; 2] {
    [&files.certificate, &files.key].map(|file| {
        let about = file.metadata().ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

fn read(files: &Files) -> Result<TlsAcceptor, CollectorError> {
    const CERTIFICATE: &str = "collect.tls.certificate";
    const KEY: &str = "collect.tls.key";
    for (key, path) in [(CERTIFICATE, &files.certificate), (KEY, &files.key)] {
        let about =
            path.metadata().map_err(|error| CollectorError::Unreadable { key, path: path.clone(), error })?;
        if !about.is_file() {
            return Err(CollectorError::NotAFile { key, path: path.clone() });
        }
    }
    let refuse = |key, path: &Path, what, error| match error {
        PemError::Io(error) => CollectorError::Unreadable { key, path: path.into(), error },
        _ => CollectorError::Nothing { key, path: path.into(), what },
    };
    let unsure = |error| refuse(CERTIFICATE, &files.certificate, "certificate", error);
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(unsure)?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(unsure)?;
    if chain.is_empty() {
        return Err(unsure(PemError::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| refuse(KEY, &files.key, "private key", error))?;
    let unfit = |error| CollectorError::Unfit {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        error,
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new().map_err(unfit)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn certificate_that_is_not_a_regular_file_is_refused_without_being_opened() {
        let dir = std::env::temp_dir().join(format!("crowdfold-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (pipe, file) = (dir.join("pipe"), dir.join("file"));
        // no process writes to the pipe, so opening it blocks forever
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::fs::write(&file, "nothing").unwrap();
        for strange in [pipe.clone(), dir.clone(), "/dev/zero".into()] {
            let files = Files { certificate: strange.clone(), key: file.clone() };
            let Err(error) = Certificates::load(files) else { panic!("{strange:?} was taken") };
            let expected = format!(
                "collect.tls.certificate {} is not a regular file; set the key to a file in PEM format",
                strange.display()
            );
            assert_eq!(error.to_string(), expected);
            let files = Files { certificate: file.clone(), key: strange };
            let Err(error) = Certificates::load(files) else { panic!("taken as a key") };
            assert!(matches!(error, CollectorError::NotAFile { key: "collect.tls.key", .. }), "{error}");
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
