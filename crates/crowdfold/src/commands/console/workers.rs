//! Reads the metrics of the workers, which the page shows.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crowdfold_console::{Console, Pipeline};
use crowdfold_worker::Stop;

/// The interval at which metrics are read.
const INTERVAL: Duration = Duration::from_secs(10);

/// The time limit for connecting, and for each part of a response.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The maximum size of a response, in bytes.
const LARGEST: u64 = 4 << 20;

/// Starts a thread that reads the metrics of the workers until shutdown. Does nothing if there are no workers.
pub(super) fn watch(console: &Arc<Console>, workers: &[String], stop: &Arc<Stop>) {
    if workers.is_empty() {
        return;
    }
    let (console, workers, stop) = (Arc::clone(console), workers.to_vec(), Arc::clone(stop));
    thread::spawn(move || {
        loop {
            console.set_pipeline(read(&workers));
            if stop.sleep(INTERVAL) {
                return;
            }
        }
    });
}

/// Reads the metrics of all workers.
fn read(workers: &[String]) -> Pipeline {
    let mut pipeline = Pipeline::default();
    for name in workers {
        let addresses = resolve(name);
        if addresses.is_empty() {
            pipeline.unreachable.push(name.clone());
        }
        for address in addresses {
            match fetch(address, name) {
                Ok(metrics) => pipeline.add(&metrics),
                Err(error) => {
                    tracing::debug!("the metrics of {address} cannot be read: {error}");
                    pipeline.unreachable.push(address.to_string());
                }
            }
        }
    }
    pipeline
}

/// Returns the addresses of a host name. A name in Kubernetes can have one address for each worker. If a name has
/// addresses of both families, only those of IPv4 are returned, because they belong to the same workers.
fn resolve(name: &str) -> Vec<SocketAddr> {
    let mut addresses: Vec<_> = name.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    if addresses.iter().any(SocketAddr::is_ipv4) {
        addresses.retain(SocketAddr::is_ipv4);
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Requests the metrics of a worker. HTTP/1.0 is used, so that the connection is closed at the end of the response.
fn fetch(address: SocketAddr, host: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(
        format!("GET /metrics HTTP/1.0\r\nhost: {host}\r\naccept: text/plain\r\n\r\n").as_bytes(),
    )?;
    let mut response = String::new();
    stream.take(LARGEST).read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status == "200" { Ok(body.to_owned()) } else { Err(io::Error::other(format!("status \"{status}\""))) }
}
