//! Handles HTTP requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use crate::answers::{Asked, Reply};
use crate::live::LiveReader;
use crate::question::Refusal;
use crate::server::SLOW;
use crate::{Access, Console, access, catalogue, export, host, openapi, page};

/// The maximum length of the address (path and query) of a request, in bytes.
const LONGEST_ADDRESS: usize = 4_096;

/// The maximum size of the body that the sign-in form sends, in bytes. The form contains a token, and the state of the
/// page with percent escapes.
const LONGEST_FORM: usize = 1_024 + 3 * LONGEST_ADDRESS;

/// The delay before the response to a request with a wrong token.
const DELAY: Duration = Duration::from_millis(500);

/// The content security policy of the page. It allows nothing from other hosts, and no scripts or styles inside the
/// HTML.
const CSP: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The body of a response: complete, or a stream of events.
pub(crate) enum Content {
    Whole(Option<Bytes>),
    Events(mpsc::Receiver<Bytes>),
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events(events) => {
                events.poll_recv(context).map(|event| event.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Events(_) => SizeHint::default(),
        }
    }
}

type Answered = Response<Content>;

/// Handles a request, and returns the response.
pub(crate) async fn answer(console: Arc<Console>, request: Request<Incoming>) -> Answered {
    let mut response = route(console, request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, CSP),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn route(console: Arc<Console>, request: Request<Incoming>) -> Answered {
    if request.uri().path_and_query().map_or(0, |address| address.as_str().len()) > LONGEST_ADDRESS {
        return refusal(&Refusal {
            status: StatusCode::URI_TOO_LONG,
            message: "the address is too long".into(),
        });
    }
    let path = request.uri().path().to_owned();
    if path == "/healthz" {
        return whole(StatusCode::OK, "text/plain; charset=utf-8", Bytes::from_static(b"alive\n"));
    }
    let settings = &console.settings;
    if settings.tokens.is_empty() && !host::is_allowed(request.headers(), &settings.hosts) {
        let message = format!(
            "the request is for a host that is not in {}; use http://localhost, or add the host",
            settings.hosts_name
        );
        return refusal(&Refusal { status: StatusCode::FORBIDDEN, message });
    }
    if path == "/login" && request.method() == Method::POST {
        return login(&console, request).await;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let message = "only GET is allowed".into();
        let mut response = refusal(&Refusal { status: StatusCode::METHOD_NOT_ALLOWED, message });
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if let Some(file) = page::file(&path) {
        let mut response = whole(StatusCode::OK, file.content_type, Bytes::from_static(file.content));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        return response;
    }
    let access = match authenticate(&console, access::token(request.headers())).await {
        Authenticated::Yes(access) => access,
        denied => return denial(denied),
    };
    if path == "/api/v1/live" {
        return live(&console, access);
    }
    let wants_csv =
        request.headers().get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/csv"));
    let query = request.uri().query().unwrap_or_default().to_owned();
    let answered =
        tokio::task::spawn_blocking(move || ask(&console, &access, &path, &query, wants_csv)).await;
    answered.unwrap_or_else(|_| {
        let message = "the request could not be answered".into();
        refusal(&Refusal { status: StatusCode::INTERNAL_SERVER_ERROR, message })
    })
}

/// Handles a request to the API.
fn ask(console: &Console, access: &Access, path: &str, query: &str, wants_csv: bool) -> Answered {
    let detail = console.settings.lifetimes.detail;
    let asked = Asked { store: &console.store, access, now: console.now(), detail };
    let reply = match path {
        "/api/v1/tenants" => asked.tenants(),
        "/api/v1/breakdowns" => asked.breakdowns(query),
        "/api/v1/metrics" => Ok(catalogue::metrics()),
        "/api/v1/timeseries" => asked.timeseries(query),
        "/api/v1/breakdown" => asked.breakdown(query),
        "/api/v1/compare" => asked.compare(query),
        "/api/v1/distribution" => asked.distribution(query),
        "/api/v1/windows" => asked.windows(query),
        "/api/v1/status" => Ok(Reply { json: console.status(access), csv: None }),
        "/api/v1/openapi.json" => {
            Ok(Reply { json: openapi::document(console.settings.facts.version), csv: None })
        }
        "/metrics" => return gauges(console, access, asked.now),
        _ => Err(Refusal::unknown("unknown path; /api/v1/openapi.json describes the API")),
    };
    match reply {
        Err(error) => refusal(&error),
        Ok(Reply { csv: Some(csv), .. }) if wants_csv => {
            whole(StatusCode::OK, "text/csv; charset=utf-8", Bytes::from(Reply::csv(&csv)))
        }
        Ok(Reply { json, .. }) => whole(StatusCode::OK, "application/json", Bytes::from(json.to_string())),
    }
}

fn gauges(console: &Console, access: &Access, now: crowdfold_model::Timestamp) -> Answered {
    match export::gauges(&console.settings.export, &console.store, access, now) {
        Ok(text) => whole(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", Bytes::from(text)),
        Err(error) => refusal(&error.into()),
    }
}

/// The result of checking the token of a request.
enum Authenticated {
    Yes(Access),
    /// The token is missing or wrong.
    No,
    /// The token is wrong, and too many other responses to wrong tokens are being delayed.
    TooMany,
}

/// Returns the access of a request. The response to a wrong token is delayed, and only a few such responses are in
/// progress at a time, so that a client that guesses tokens is slow. The number of delayed responses is limited,
/// because each of them keeps a connection that other requests need. Above this limit, responses are not delayed, and
/// only the length of tokens protects against guesses.
async fn authenticate(console: &Console, token: Option<&[u8]>) -> Authenticated {
    if console.settings.tokens.is_empty() {
        return Authenticated::Yes(Access::All);
    }
    let Some(token) = token else { return Authenticated::No };
    if let Some(access) = access::of_token(&console.settings.tokens, token) {
        return Authenticated::Yes(access);
    }
    let Ok(_delayed) = console.delayed.try_acquire() else { return Authenticated::TooMany };
    tracing::warn!("a request with a wrong token was refused");
    let _permit = console.guesses.acquire().await;
    tokio::time::sleep(DELAY).await;
    Authenticated::No
}

/// Returns the response to a request without access. If there are too many such requests, the connection is closed.
fn denial(denied: Authenticated) -> Answered {
    if matches!(denied, Authenticated::TooMany) {
        let message = "too many requests with wrong tokens; wait a few seconds".into();
        let mut response = refusal(&Refusal { status: StatusCode::TOO_MANY_REQUESTS, message });
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    let message = "authentication is required; send the header \"Authorization: Bearer TOKEN\"".into();
    let mut response = refusal(&Refusal { status: StatusCode::UNAUTHORIZED, message });
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Handles the sign-in form: stores a valid token in a cookie, and returns to the page with its state.
async fn login(console: &Console, request: Request<Incoming>) -> Answered {
    let body = Limited::new(request.into_body(), LONGEST_FORM).collect();
    let body = tokio::time::timeout(SLOW, body).await;
    let form = body.ok().and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
    let field = |wanted: &str| {
        let mut fields = form_urlencoded::parse(&form);
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (given, state) = (field("token"), field("state"));
    let is_right = match authenticate(console, (!given.is_empty()).then_some(given.as_bytes())).await {
        Authenticated::Yes(_) => true,
        Authenticated::No => false,
        denied @ Authenticated::TooMany => return denial(denied),
    };
    let mut response = whole(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Bytes::new());
    let target = HeaderValue::from_str(&page_after_sign_in(&state, is_right));
    response.headers_mut().insert(LOCATION, target.unwrap_or(HeaderValue::from_static("/")));
    if is_right {
        let cookie = format!("{}={given}; HttpOnly; SameSite=Strict; Path=/", access::COOKIE_NAME);
        // this cannot fail, because a token with other characters was refused above
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
    }
    response
}

/// Returns the address of the page after the sign-in. It contains the state that the form sent. The address always
/// belongs to this host, because the state is only its query.
fn page_after_sign_in(state: &str, is_right: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(state.trim_start_matches('?').as_bytes()) {
        if name != "login" {
            query.append_pair(&name, &value);
        }
    }
    if !is_right {
        query.append_pair("login", "failed");
    }
    let query = query.finish();
    if query.is_empty() { "/".into() } else { format!("/?{query}") }
}

fn live(console: &Console, access: Access) -> Answered {
    let Some(mut reader) = console.live.reader(access) else {
        let message = "too many readers of events; close another one".into();
        return refusal(&Refusal { status: StatusCode::SERVICE_UNAVAILABLE, message });
    };
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        if sender.send(Bytes::from_static(b": connected\n\n")).await.is_err() {
            return;
        }
        while let Some(event) = next_event(&mut reader).await {
            if sender.send(event).await.is_err() {
                return;
            }
        }
    });
    let mut response = Response::new(Content::Events(receiver));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// Returns the next event. If there is none for a while, returns a comment, which keeps the connection open.
async fn next_event(reader: &mut LiveReader) -> Option<Bytes> {
    loop {
        match tokio::time::timeout(Duration::from_secs(15), reader.receiver.recv()).await {
            Ok(Ok(window)) if reader.access.sees(&window.tenant) => return Some(window.event()),
            // continue after the events that a slow reader missed
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => {}
            Ok(Err(RecvError::Closed)) => return None,
            Err(_) => return Some(Bytes::from_static(b": waiting\n\n")),
        }
    }
}

fn refusal(refusal: &Refusal) -> Answered {
    let body = json!({"error": refusal.message}).to_string();
    whole(refusal.status, "application/json", Bytes::from(body))
}

fn whole(status: StatusCode, content_type: &'static str, body: Bytes) -> Answered {
    let mut response = Response::new(Content::Whole(Some(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
