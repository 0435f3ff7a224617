//! A small identity provider for tests. It issues signed tokens (RS256) over HTTP on the loopback interface, for the
//! client credentials grant of OAuth 2.0.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::broker::openssl;

/// The client secret, which is the same for all clients.
const SECRET: &str = "the-clients-secret";

/// An issuer of tokens. Its endpoint responds to requests until the process ends.
#[derive(Debug)]
pub struct Issuer {
    dir: PathBuf,
    port: u16,
}

impl Issuer {
    /// Creates a signing key in a new directory, and starts the endpoint.
    ///
    /// # Panics
    /// If the directory exists, if the openssl command is missing, or if no port is free.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        std::fs::create_dir(dir).expect("the creation of a directory for tokens");
        let key = dir.join("issuer.key").display().to_string();
        let _ = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &key]);
        let modulus = openssl(&["rsa", "-in", &key, "-noout", "-modulus"]);
        let modulus = modulus.trim().strip_prefix("Modulus=").expect("the output of openssl rsa");
        let bytes = |at: usize| u8::from_str_radix(&modulus[at..at + 2], 16).expect("hexadecimal digits");
        let modulus: Vec<u8> = (0..modulus.len()).step_by(2).map(bytes).collect();
        let key = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": base64(&modulus), "e": "AQAB"});
        std::fs::write(dir.join("keys.json"), json!({"keys": [key]}).to_string())
            .expect("the creation of a file");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let port = listener.local_addr().expect("the address of the listener").port();
        let issuer = Self { dir: dir.into(), port };
        let endpoint = Self { dir: dir.into(), port };
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(endpoint.answer(stream))));
        issuer
    }

    /// Returns the URL of the token endpoint.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.port)
    }

    /// Returns the client secret that the endpoint accepts.
    #[must_use]
    pub const fn secret(&self) -> &'static str {
        SECRET
    }

    /// Returns the path of a JSON Web Key Set with the public key.
    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.join("keys.json")
    }

    /// Returns a token for a client. The subject of the token is the name of the client. Kafka uses the subject as the
    /// name of the principal.
    fn token(&self, client: &str) -> String {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": "1"});
        let now = now();
        let claims = json!({"sub": client, "aud": "kafka", "scope": "kafka", "iat": now, "exp": now + 300, "jti": crate::unique("token")});
        let part = |value: &Value| base64(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let file = |name: &str| self.dir.join(crate::unique(name)).display().to_string();
        let (text, signature) = (file("text"), file("signature"));
        std::fs::write(&text, &signed).expect("the creation of a file");
        let key = self.dir.join("issuer.key").display().to_string();
        let _ = openssl(&["dgst", "-sha256", "-sign", &key, "-out", &signature, &text]);
        format!("{signed}.{}", base64(&std::fs::read(signature).expect("the file that openssl wrote")))
    }

    /// Responds to one request. The name of the client and its secret are in the header `Authorization` (RFC 6749,
    /// section 2.3.1).
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut length, mut credentials) = (0, String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            match name.to_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => credentials = value.trim().trim_start_matches("Basic ").to_owned(),
                _ => {}
            }
        }
        reader.take(length).read_to_end(&mut Vec::new())?;
        let credentials = String::from_utf8(unbase64(&credentials)).unwrap_or_default();
        let (status, body) = match credentials.split_once(':') {
            Some((client, SECRET)) => {
                let token = self.token(client);
                ("200 OK", json!({"access_token": token, "token_type": "Bearer", "expires_in": 300}))
            }
            _ => (
                "401 Unauthorized",
                json!({"error": "invalid_client", "error_description": "unknown client"}),
            ),
        };
        let body = body.to_string();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

#[expect(clippy::disallowed_methods, reason = "tokens are valid for minutes of real time")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes bytes as base64 for URLs, without padding (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letter = |at: usize| LETTERS[(bits >> (18 - 6 * at)) as usize & 63] as char;
        text.extend((0..=three.len()).map(letter));
    }
    text
}

/// Decodes base64 in the standard alphabet or in the alphabet for URLs. Skips all other characters.
fn unbase64(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes().map(|letter| match letter {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }) {
        let Some(value) = LETTERS.iter().position(|known| *known == letter) else { continue };
        (bits, held) = (bits << 6 | value as u32, held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{base64, unbase64};

    /// The expected values are the test vectors in section 10 of RFC 4648.
    #[test]
    fn base64_equals_the_vectors_of_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(base64(plain.as_bytes()), coded);
            assert_eq!(unbase64(&format!("{coded}==")), plain.as_bytes());
        }
        assert_eq!((base64(&[0xfb, 0xff]).as_str(), unbase64("+/8=")), ("-_8", vec![0xfb, 0xff]));
    }
}
