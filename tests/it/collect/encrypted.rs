//! Tests of HTTP/2 without TLS, of TLS, and of changed certificates.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use crowdfold_testkit::{Authority, Certificate, Kafka, eventually};
use http_body_util::Full;
use hyper::Request;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::support::{Collector, deploy, packed};
use crate::worker::support::{Deployment, now};

fn request(version: &str) -> Request<Full<Bytes>> {
    let body = format!(r#"{{"session":"s-{version}","ts":{}}}"#, now());
    Request::post("http://collector.example/v1/beacons")
        .header("content-type", "application/json")
        .header("host", "collector.example")
        .body(Full::new(body.into()))
        .unwrap()
}

/// Sends concurrent requests over one HTTP/2 connection. Returns the statuses of the responses.
async fn multiplexed(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    requests: usize,
) -> Vec<u16> {
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let asked: Vec<_> = (0..requests)
        .map(|_| {
            let mut sender = sender.clone();
            tokio::spawn(async move {
                sender.ready().await.unwrap();
                sender.send_request(request("2")).await.unwrap().status().as_u16()
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for asked in asked {
        statuses.push(asked.await.unwrap());
    }
    statuses
}

async fn tls(address: &str, ca: &std::path::Path, protocol: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await
}

#[tokio::main(flavor = "current_thread")]
async fn run<T>(work: impl Future<Output = T>) -> T {
    work.await
}

#[test]
fn fifty_concurrent_requests_on_one_http_2_connection_are_accepted() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let address = collector.0.intake_address();
    let statuses = run(async { multiplexed(TcpStream::connect(&address).await.unwrap(), 50).await });
    assert_eq!(statuses, [204; 50]);
    assert_eq!(packed(&deployment).len(), 50);
    collector.await_count("connections", 0);
    let (status, log) = collector.0.terminate();
    assert!(status.success(), "{status}: {log}");
}

fn use_certificate(deployment: &Deployment<'_>, from: &Certificate) {
    for (name, made) in [("collector.pem", &from.certificate), ("collector.key", &from.key)] {
        // Renaming also replaces a pipe. Copying to a pipe would wait for a reader.
        let fresh = deployment.dir.path().join("fresh");
        std::fs::copy(made, &fresh).unwrap();
        std::fs::rename(fresh, deployment.dir.path().join(name)).unwrap();
    }
}

#[test]
fn changed_certificate_is_reloaded_only_if_it_matches_its_key() {
    let mut deployment = deploy(Kafka::shared());
    let file = |deployment: &Deployment<'_>, name| {
        format!("{:?}", deployment.dir.path().join(name).display().to_string())
    };
    deployment.set("collect.tls.certificate", &file(&deployment, "collector.pem"));
    deployment.set("collect.tls.key", &file(&deployment, "collector.key"));
    let deployment = deployment.with_topics();
    let old = Authority::new(&deployment.dir.path().join("old"));
    let new = Authority::new(&deployment.dir.path().join("new"));
    use_certificate(&deployment, &old.certificate("collector"));
    let collector = Collector::start(&deployment);
    let address = collector.0.intake_address();
    run(async {
        let stream = tls(&address, &old.ca(), b"h2").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        assert_eq!(multiplexed(stream, 3).await, [204; 3]);
        let stream = tls(&address, &old.ca(), b"http/1.1").await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        assert_eq!(sender.send_request(request("1")).await.unwrap().status(), 204);
        assert!(tls(&address, &new.ca(), b"h2").await.is_err());
    });
    // The certificate is replaced, but its key is not replaced yet.
    std::fs::copy(new.certificate("collector").certificate, deployment.dir.path().join("collector.pem"))
        .unwrap();
    collector.0.await_log("the certificate in use is kept");
    run(async { tls(&address, &old.ca(), b"h2").await.unwrap() });
    use_certificate(&deployment, &new.certificate("collector"));
    eventually("the new certificate is in use", || run(tls(&address, &new.ca(), b"h2")).ok());
    // The certificate, and later its key, is replaced by a pipe to which no process writes.
    for (key, name) in [("collect.tls.certificate", "collector.pem"), ("collect.tls.key", "collector.key")] {
        let pipe = deployment.dir.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let file = deployment.dir.path().join(name);
        std::fs::rename(&pipe, &file).unwrap();
        let file = file.display();
        collector
            .0
            .await_log(&format!("{key} {file} is not a regular file; set the path of a file in PEM format"));
        run(async {
            let stream = tls(&address, &new.ca(), b"h2").await.unwrap();
            assert_eq!(multiplexed(stream, 3).await, [204; 3]);
        });
        use_certificate(&deployment, &new.certificate("collector"));
    }
    use_certificate(&deployment, &old.certificate("collector"));
    eventually("the old certificate is in use again", || run(tls(&address, &old.ca(), b"h2")).ok());
    assert_eq!(packed(&deployment).len(), 4 + 6);
    let (status, log) = collector.0.terminate();
    assert!(status.success() && !log.contains("BEGIN"), "{status}: {log}");
}
