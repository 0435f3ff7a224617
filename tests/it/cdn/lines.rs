//! Creates log lines in the formats of several CDNs. They also contain fields that the program must not read.

use serde_json::json;

/// The start of a window of one minute, in milliseconds.
pub(crate) const START: u64 = 1_795_308_480_000;
/// The value of every field that the program must not read.
pub(crate) const CANARY: &str = "c4n4ry";

/// The CDN that wrote a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cdn {
    CloudFront,
    /// CloudFront with standard logging v2.
    CloudFrontV2,
    Fastly,
    Akamai,
}

const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";

impl Cdn {
    pub(crate) const ALL: [Self; 4] = [Self::CloudFront, Self::CloudFrontV2, Self::Fastly, Self::Akamai];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CloudFront => "cloudfront",
            Self::CloudFrontV2 => "cloudfront-v2",
            Self::Fastly => "fastly",
            Self::Akamai => "akamai",
        }
    }

    /// Returns the lines of three requests of a session within one minute. A session with an odd number sends CMCD in
    /// headers if the log of the CDN contains headers. All other sessions send CMCD in the query.
    pub(crate) fn session(self, session: &str, nth: u64) -> Vec<String> {
        (0..3).map(|at| self.line(session, START + nth * 1_000 + at * 2_000, nth % 2 == 1)).collect()
    }

    /// Returns the line of a request at the time `at`.
    pub(crate) fn line(self, session: &str, at: u64, headers: bool) -> String {
        let cmcd = format!("br=3200,cid=\"movie-0042\",mtp=5400,ot=v,sf=d,sid=\"{session}\",st=v");
        match self {
            Self::CloudFront if headers => self.written(&seconds(at), None, Some(session)),
            Self::CloudFrontV2 => self.written(&clock(at), Some(&escaped(&cmcd)), None),
            // CloudFront encodes the query a second time.
            Self::CloudFront => self.written(&seconds(at), Some(&escaped(&escaped(&cmcd))), None),
            Self::Fastly if headers => self.written(&at.to_string(), None, Some(session)),
            Self::Fastly | Self::Akamai => {
                let time = if self == Self::Fastly { at.to_string() } else { seconds(at) };
                self.written(&time, Some(&escaped(&cmcd)), None)
            }
        }
    }

    /// Returns the line of a request without CMCD.
    pub(crate) fn without_cmcd(self) -> String {
        let time = if self == Self::CloudFrontV2 { clock(START) } else { START.to_string() };
        self.written(&time, None, None)
    }

    /// Returns the line of a request with this value in the field for the time.
    pub(crate) fn with_time(self, time: &str) -> String {
        self.written(time, Some("sid%3D%22s%22"), None)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each log format")]
    fn written(self, time: &str, cmcd: Option<&str>, headers: Option<&str>) -> String {
        let query =
            cmcd.map_or_else(|| format!("token={CANARY}"), |cmcd| format!("token={CANARY}&CMCD={cmcd}"));
        let secret = format!("https://{CANARY}.example/");
        match self {
            Self::CloudFront => {
                let mut line = json!({
                    "timestamp": time, "c-ip": "203.0.113.9", "time-to-first-byte": "0.002", "sc-status": "206",
                    "sc-bytes": "1048576", "cs-method": "GET", "cs-protocol": "https", "cs-host": secret,
                    "cs-uri-stem": format!("/{CANARY}/seg-1.m4s"), "cs-bytes": "512", "x-edge-location": "FRA56-P1",
                    "x-edge-request-id": CANARY, "x-host-header": secret, "time-taken": "0.010",
                    "cs-protocol-version": "HTTP/2.0", "c-ip-version": "IPv4", "cs-user-agent": escaped_blanks(AGENT),
                    "cs-referer": secret, "cs-cookie": CANARY, "cs-uri-query": query, "x-edge-result-type": "Hit",
                    "x-forwarded-for": CANARY, "ssl-protocol": "TLSv1.3", "c-port": "51234", "c-country": "DE",
                    "cs-headers": CANARY, "asn": "64500", "cmcd-next-object-request": CANARY
                });
                let members = [
                    ("encoded-bitrate", "3200"),
                    ("buffer-length", "12000"),
                    ("buffer-starvation", "false"),
                    ("content-id", "movie-0042"),
                    ("object-duration", "4000"),
                    ("deadline", "9000"),
                    ("measured-throughput", "5400"),
                    ("next-range-request", "-"),
                    ("object-type", "v"),
                    ("playback-rate", "1"),
                    ("requested-maximum-throughput", "20000"),
                    ("streaming-format", "d"),
                    ("session-id", headers.unwrap_or("-")),
                    ("stream-type", "v"),
                    ("startup", "true"),
                    ("top-bitrate", "8000"),
                    ("version", "1"),
                ];
                for (name, value) in members {
                    line[format!("cmcd-{name}")] = headers.map_or("-", |_| value).into();
                }
                line
            }
            Self::CloudFrontV2 => json!({
                "date": "2026-11-22", "time": time, "x-edge-location": "FRA56-P2", "sc-bytes": "1048576",
                "c-ip": "203.0.113.9", "cs-method": "GET", "cs(Host)": secret,
                "cs-uri-stem": format!("/{CANARY}/seg-1.m4s"), "sc-status": "206", "cs(Referer)": secret,
                "cs(User-Agent)": escaped_blanks(AGENT), "cs-uri-query": query, "cs(Cookie)": CANARY,
                "x-edge-result-type": "Hit", "x-edge-request-id": CANARY, "x-host-header": secret,
                "cs-protocol": "https", "time-taken": "0.010", "time-to-first-byte": "0.002", "x-forwarded-for": "-", "asn": "64500",
                "c-country": "DE"
            }),
            Self::Fastly => {
                let part = |text: &str| headers.map_or("", |_| text).to_owned();
                let time = time.parse::<u64>().map_or_else(|_| json!(time), |at| json!(at));
                json!({
                    "at": time, "ip": "203.0.113.9", "url": format!("/{CANARY}/seg-1.m4s?{query}"), "ua": AGENT,
                    "host": secret, "referer": secret, "country": "DE", "as": "64500",
                    "hints": {
                        "brands": "\"Google Chrome\";v=\"147\", \"Chromium\";v=\"147\"", "mobile": "?0",
                        "platform": "\"Windows\""
                    },
                    "gpc": "", "dnt": "", "ttfb": "0.002",
                    "cmcd": {
                        "object": part("br=3200,ot=v"), "request": part("mtp=5400"), "status": "",
                        "session": headers.map_or(String::new(), |session| {
                            format!("cid=\"movie-0042\",sf=d,sid=\"{session}\",st=v")
                        })
                    }
                })
            }
            Self::Akamai => json!({
                "version": "1", "streamId": "12345", "cp": "123456", "reqId": CANARY, "reqTimeSec": time,
                "bytes": "4995", "cliIP": "203.0.113.9", "statusCode": "206", "proto": "HTTPS", "reqHost": secret,
                "reqMethod": "GET", "reqPath": format!("/{CANARY}/seg-1.m4s"), "reqPort": "443",
                "rspContentLen": "5000", "turnAroundTimeMSec": "2", "UA": form_encoded(AGENT), "tlsOverheadTimeMSec": "0",
                "queryStr": query, "cookie": CANARY, "referer": secret, "xForwardedFor": CANARY,
                "cacheStatus": "1", "country": "DE", "state": "Hessen", "city": CANARY
            }),
        }
        .to_string()
    }
}

/// Formats a time as the time of day, such as `00:48:00`.
fn clock(at: u64) -> String {
    let second = at % 86_400_000 / 1_000;
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

fn seconds(at: u64) -> String {
    format!("{}.{:03}", at / 1_000, at % 1_000)
}

/// Percent-encodes a string, as a browser does in a query.
fn escaped(text: &str) -> String {
    let sign = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(sign).collect()
}

/// Encodes a user agent as CloudFront does. Only spaces are encoded.
fn escaped_blanks(text: &str) -> String {
    text.replace(' ', "%20")
}

/// Encodes a user agent as Akamai does. Spaces become `+`.
fn form_encoded(text: &str) -> String {
    escaped(text).replace("%20", "+")
}
