//! The TLS certificate and its private key. They are read again when a file changes.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{CollectorError, CollectorField};

/// The paths of the certificate and the private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The file with the certificate chain, in PEM format.
    pub certificate: PathBuf,
    /// The file with the private key, in PEM format.
    pub key: PathBuf,
}

/// The modification time and the length of a file. A difference in them shows that the file changed. `None` if they
/// cannot be read.
type FileState = Option<(SystemTime, u64)>;

/// The certificate in use.
pub struct Certificates {
    files: Files,
    acceptor: RwLock<TlsAcceptor>,
    states: Mutex<[FileState; 2]>,
}

impl Certificates {
    /// Reads the certificate and its private key.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read, or if the certificate and the key cannot be used.
    pub fn load(files: Files) -> Result<Arc<Self>, CollectorError> {
        let states = Mutex::new(file_states(&files));
        Ok(Arc::new(Self { acceptor: RwLock::new(read(&files)?), files, states }))
    }

    /// Reads the files again if one of them changed, and uses the new certificate for new connections. Returns true
    /// if a file changed.
    ///
    /// # Errors
    /// Returns an error as [`Certificates::load`] does. The old certificate then stays in use until a file changes
    /// again.
    pub fn refresh(&self) -> Result<bool, CollectorError> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let now = file_states(&self.files);
        if now == *states {
            return Ok(false);
        }
        *states = now;
        let fresh = read(&self.files)?;
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn file_states(files: &Files) -> [FileState; 2] {
    [&files.certificate, &files.key].map(|file| {
        let about = file.metadata().ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

/// The maximum size of a certificate chain or of a private key, in bytes.
const LONGEST: u64 = 1 << 20;

/// Reads a file. Returns an error if it is not a regular file.
fn content(field: CollectorField, path: &Path) -> Result<Vec<u8>, CollectorError> {
    let unreadable = |error| CollectorError::Unreadable { field, path: path.into(), error };
    let about = path.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(CollectorError::NotAFile { field, path: path.into() });
    }
    // another process may have replaced the file by a pipe since the call of `metadata`; without this flag, opening a
    // pipe waits for a writer
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(CollectorError::NotAFile { field, path: path.into() });
    }
    let mut content = Vec::new();
    file.take(LONGEST).read_to_end(&mut content).map_err(unreadable)?;
    Ok(content)
}

fn read(files: &Files) -> Result<TlsAcceptor, CollectorError> {
    use CollectorField::{Certificate, Key};
    let certificate = content(Certificate, &files.certificate)?;
    let key = content(Key, &files.key)?;
    let nothing = |field, path: &Path, section| CollectorError::Nothing { field, path: path.into(), section };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&certificate).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| nothing(Certificate, &files.certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| nothing(Key, &files.key, "private key"))?;
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
    fn certificate_file_that_is_not_a_regular_file_is_refused_without_being_opened() {
        let dir = std::env::temp_dir().join(format!("crowdfold-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (pipe, file) = (dir.join("pipe"), dir.join("file"));
        // no process writes to the pipe, so opening it would block without end
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::fs::write(&file, "nothing").unwrap();
        for strange in [pipe.clone(), dir.clone(), "/dev/zero".into()] {
            let files = Files { certificate: strange.clone(), key: file.clone() };
            let Err(error) = Certificates::load(files) else { panic!("{strange:?} was accepted") };
            let expected = format!(
                "the certificate {} is not a regular file; set the path of a file in PEM format",
                strange.display()
            );
            assert_eq!(error.to_string(), expected);
            let files = Files { certificate: file.clone(), key: strange };
            let Err(error) = Certificates::load(files) else { panic!("accepted as a key") };
            assert!(matches!(error, CollectorError::NotAFile { field: CollectorField::Key, .. }), "{error}");
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
