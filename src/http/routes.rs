//! Which path gives what.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use metrics::Format;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::api::changes::Change;
use super::api::{self, Refusal};
use super::history::History;
use super::probe::Probe;
use super::token::Token;
use super::{collect, health, page};
use crate::boundary::guard;
use crate::drive::Context;

/// An answer with its whole body.
pub type Answer = Response<Full<Bytes>>;

/// The longest body, in bytes.
const MAX_BODY: usize = 1 << 10;
/// How long it may take to come.
const BODY_TIME: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; charset=utf-8";

/// What the paths are about.
#[derive(Debug)]
pub struct Site {
    ctx: &'static Context,
    /// The proxy listens for its clients.
    listens: Arc<AtomicBool>,
    /// Only this machine reaches it.
    is_local: bool,
    probe: Probe,
    history: History,
    token: Option<Token>,
    /// One change at a time.
    changes: Mutex<()>,
}

impl Site {
    /// Of the running plugin.
    pub fn new(
        ctx: &'static Context,
        listens: Arc<AtomicBool>,
        is_local: bool,
        token: Option<Token>,
    ) -> Self {
        let (probe, history, changes) = (Probe::default(), History::default(), Mutex::default());
        Self { ctx, listens, is_local, probe, history, token, changes }
    }

    /// Takes a sample for the history.
    pub fn note(&self) {
        guard(|| self.history.note(self.ctx), || ());
    }

    /// Answers a request of `peer`. Nothing of the request is repeated in the answer.
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        peer: &str,
    ) -> Result<Answer, Infallible> {
        let head = request.headers();
        if self.is_local && !names_this_machine(head) {
            return Ok(plain(StatusCode::FORBIDDEN, "this is no name of this machine\n"));
        }
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let answer = match request.uri().path() {
            "/metrics" | "/health/live" | "/health/ready" if !is_read => {
                plain(StatusCode::METHOD_NOT_ALLOWED, "this page is only read\n").allow(READ)
            }
            "/metrics" => self.metrics(head),
            "/health/live" => plain(StatusCode::OK, health::ALIVE),
            "/health/ready" => {
                let listens = self.listens.load(Ordering::Relaxed);
                let (status, text) = health::ready(self.ctx, listens, &self.probe).await;
                plain(status, text)
            }
            path => match (path.strip_prefix(api::ROOT), page::part(path)) {
                (Some(path), _) => self.api(path.to_owned(), request, peer).await,
                (None, Some(_)) if !is_read => {
                    plain(StatusCode::METHOD_NOT_ALLOWED, "this page is only read\n").allow(READ)
                }
                (None, Some(part)) => part,
                (None, None) => plain(StatusCode::NOT_FOUND, "there is no such page\n"),
            },
        };
        Ok(answer)
    }

    /// Makes a change, if the request has the token.
    async fn change(&self, change: Change, request: Request<Incoming>, peer: &str) -> Answer {
        let Some(token) = &self.token else {
            return refused(StatusCode::FORBIDDEN, "changes need pyproxy-http-token-file");
        };
        if !token.is_in(request.headers()) {
            log::debug!("HTTP endpoint: {peer} asks for a change without the token");
            let mut answer = refused(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return answer;
        }
        let body = Limited::new(request.into_body(), MAX_BODY).collect();
        let Ok(Ok(body)) = tokio::time::timeout(BODY_TIME, body).await else {
            return refused(StatusCode::BAD_REQUEST, "the body is too long, or does not come");
        };
        let (ctx, body, peer) = (self.ctx, body.to_bytes(), peer.to_owned());
        let _turn = self.changes.lock().await;
        let made = tokio::task::spawn_blocking(move || {
            guard(|| Some(change.make(ctx, &body, &peer)), || None)
        });
        match made.await {
            Ok(Some(Ok(value))) => json(StatusCode::OK, &value),
            Ok(Some(Err((status, why)))) => refused(status, why),
            _ => refused(StatusCode::INTERNAL_SERVER_ERROR, "internal error, see the proxy log"),
        }
    }

    async fn api(&self, path: String, request: Request<Incoming>, peer: &str) -> Answer {
        match (Change::at(&path), request.method()) {
            (Some(change), &Method::POST) => self.change(change, request, peer).await,
            (Some(_), _) => {
                refused(StatusCode::METHOD_NOT_ALLOWED, "this takes a POST").allow("POST")
            }
            (None, &Method::GET | &Method::HEAD) => {
                self.read(&path, request.uri().query().unwrap_or_default())
            }
            (None, _) => refused(StatusCode::METHOD_NOT_ALLOWED, "this is only read").allow(READ),
        }
    }

    fn read(&self, path: &str, query: &str) -> Answer {
        match guard(|| Some(api::get(self.ctx, &self.history, path, query)), || None) {
            Some(Ok(value)) => json(StatusCode::OK, &value),
            Some(Err(Refusal::NoPath)) => refused(StatusCode::NOT_FOUND, "there is no such path"),
            Some(Err(Refusal::Parameter(why))) => refused(StatusCode::BAD_REQUEST, why),
            None => refused(StatusCode::INTERNAL_SERVER_ERROR, "internal error, see the proxy log"),
        }
    }

    fn metrics(&self, head: &HeaderMap) -> Answer {
        let accept = head.get(ACCEPT).and_then(|value| value.to_str().ok());
        let format = Format::accepted(accept.unwrap_or_default());
        let text = guard(|| Some(collect::text(self.ctx, format)), || None);
        match text {
            Some(text) => whole(StatusCode::OK, format.content_type(), text),
            None => plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error, see the proxy log\n"),
        }
    }
}

/// Whether the request is for this machine by its number or as `localhost`. A page from elsewhere may have its own name lead here
/// (DNS rebinding), and would read what the browser's user may read.
fn names_this_machine(head: &HeaderMap) -> bool {
    let Some(host) = head.get(HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    name.is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
    })
}

/// The methods that only read.
const READ: &str = "GET, HEAD";

trait Allow {
    /// The same with the methods that are allowed.
    fn allow(self, methods: &'static str) -> Self;
}

impl Allow for Answer {
    fn allow(mut self, methods: &'static str) -> Self {
        self.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
        self
    }
}

fn json(status: StatusCode, value: &Value) -> Answer {
    whole(status, "application/json", format!("{value}\n"))
}

fn refused(status: StatusCode, why: &str) -> Answer {
    json(status, &json!({ "error": why }))
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    whole(status, TEXT, text)
}

/// An answer that browsers take for what it is, and do not keep.
pub fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    const HEADERS: [(HeaderName, &str); 2] =
        [(CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        let is_named = |host: &str| {
            let mut head = HeaderMap::new();
            head.insert(HOST, HeaderValue::from_str(host).expect("a header"));
            names_this_machine(&head)
        };
        for own in ["localhost", "LocalHost:8080", "127.0.0.1:8080", "[::1]:8080", "192.0.2.1"] {
            assert!(is_named(own), "{own}");
        }
        for other in ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", ""] {
            assert!(!is_named(other), "{other}");
        }
        assert!(names_this_machine(&HeaderMap::new()));
    }
}
