use std::collections::BTreeSet;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderValue};

use super::{Access, Token, of_token, token};

fn tokens() -> Vec<Token> {
    let directory = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str, tenants: &[&str]| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        Token::read(name, &path, tenants.iter().map(|tenant| (*tenant).to_owned()).collect())
    };
    for text in [
        "",
        "short",
        "with a space inside it",
        "a;semicolon;a;semicolon",
        &"x".repeat(257),
        "non-ascii-é-é-é-é-é-é",
    ] {
        let error = read("bad", text, &[]).unwrap_err().to_string();
        assert!(error.starts_with("the token bad: "), "{error}");
        assert!(error.ends_with("write a random text of 16 to 256 characters to the file"), "{error}");
    }
    vec![
        read("all", "0123456789abcdef0123\n", &[]).unwrap(),
        read("acme", "fedcba98765432100123", &["acme"]).unwrap(),
    ]
}

#[test]
fn token_may_see_its_tenants_and_a_wrong_token_gets_no_access() {
    let tokens = tokens();
    assert_eq!(of_token(&tokens, b"0123456789abcdef0123"), Some(Access::All));
    let acme = of_token(&tokens, b"fedcba98765432100123").unwrap();
    assert_eq!(acme, Access::Tenants(BTreeSet::from(["acme".to_owned()])));
    assert!(acme.sees("acme") && !acme.sees("beta"));
    for wrong in ["", "0123456789abcdef012", "0123456789abcdef01234", "0123456789abcdef0123\0"] {
        assert_eq!(of_token(&tokens, wrong.as_bytes()), None, "{wrong}");
    }
    assert!(!format!("{tokens:?}").contains("0123456789"), "a token is never formatted");
}

#[test]
fn token_is_read_from_the_header_or_the_cookie() {
    let headers = |name, value: &'static str| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
    assert_eq!(token(&headers(AUTHORIZATION, "Bearer abc")), Some(&b"abc"[..]));
    assert_eq!(token(&headers(AUTHORIZATION, "bearer  abc ")), Some(&b"abc"[..]));
    assert_eq!(token(&headers(AUTHORIZATION, "Basic abc")), None);
    assert_eq!(token(&headers(COOKIE, "a=b; crowdfold_token=xyz; c=d")), Some(&b"xyz"[..]));
    assert_eq!(token(&headers(COOKIE, "not_crowdfold_token=xyz; crowdfold_tokens=1")), None);
}
