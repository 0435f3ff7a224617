//! The requests of players that the benchmark sends repeatedly.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crowdfold_loadgen::{Mix, Players, PlayersConfig};

/// A kind of requests, with their bodies.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    head: String,
    pub(crate) bodies: Vec<Vec<u8>>,
    pub(crate) beacons: usize,
}

impl Load {
    /// Returns requests with an array of twenty beacons of one session.
    pub(crate) fn batches() -> Self {
        let bodies = sessions(20).into_values().map(|beacons| {
            let mut body = b"[".to_vec();
            body.extend(beacons.join(&b','));
            body.push(b']');
            body
        });
        Self::of("JSON, batches", "/v1/beacons", "application/json", 20, bodies.collect())
    }

    pub(crate) fn single() -> Self {
        let bodies = sessions(1).into_values().flatten().collect();
        Self::of("JSON, one by one", "/v1/beacons", "text/plain;charset=UTF-8", 1, bodies)
    }

    /// Returns requests with ten CMCD events of hls.js.
    pub(crate) fn cmcd() -> Self {
        let now = now();
        let body = |session: u64| {
            let line = |sn: u64| {
                format!(
                    "bl=(12300),br=(3200),cid=\"movie-0042\",e=t,mtp=(5400),pt=20000,sf=h,\
                     sid=\"6f1c1f8e-0000-4000-8000-{session:012x}\",sn={sn},st=v,sta=p,ts={},v=2\n",
                    now - 10_000 + sn * 1000
                )
            };
            (0..10).map(line).collect::<String>().into_bytes()
        };
        Self::of(
            "CMCD events, batches",
            "/v1/cmcd/default",
            "application/cmcd",
            10,
            (0..512).map(body).collect(),
        )
    }

    fn of(name: &'static str, path: &str, kind: &str, beacons: usize, bodies: Vec<Vec<u8>>) -> Self {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: collector\r\nContent-Type: {kind}\r\nOrigin: https://player.example\r\n\
             User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/147.0.0.0 Safari/537.36\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
             sec-ch-ua-platform: \"Windows\"\r\nsec-ch-ua-mobile: ?0\r\nContent-Length: "
        );
        Self { name, head, bodies, beacons }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bodies.iter().map(Vec::len).sum::<usize>() / self.bodies.len()
    }

    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        let request =
            |body: &Vec<u8>| [format!("{}{}\r\n\r\n", self.head, body.len()).as_bytes(), body].concat();
        self.bodies.iter().map(request).collect()
    }
}

/// Returns `each` beacons of every session, by session.
fn sessions(each: usize) -> BTreeMap<String, Vec<Vec<u8>>> {
    let config = PlayersConfig {
        sessions: 512,
        start_ms: now() - 20 * 60_000,
        heartbeat_ms: 10_000,
        mix: Mix::lean(),
        ..PlayersConfig::default()
    };
    let mut found: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for report in Players::new(config).unwrap().take(200_000) {
        let Some(session) = report.session() else { continue };
        let beacons = found.entry(session.to_owned()).or_default();
        if beacons.len() < each {
            beacons.push(report.payload.trim_ascii().to_vec());
        }
    }
    found.retain(|_, beacons| beacons.len() == each);
    assert!(found.len() > 100, "only {} sessions have {each} beacons", found.len());
    found
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}
