//! The page at `/`, and what it is made of: carried by the library, and taken from nowhere else.

use http_body_util::Full;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue};

use super::routes::{Answer, whole};

/// What a browser may do with the page: load what is here, ask here, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Path, type and content of each part.
const PARTS: [(&str, &str, &str); 7] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/page.js", SCRIPT, include_str!("page/page.js")),
    ("/page.css", STYLE, include_str!("page/page.css")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("/uplot.js", SCRIPT, include_str!("page/uplot/uPlot.iife.min.js")),
    ("/uplot.css", STYLE, include_str!("page/uplot/uPlot.min.css")),
    ("/uplot-license.txt", TEXT, include_str!("page/uplot/LICENSE")),
];

/// The part at this path.
pub fn part(path: &str) -> Option<Answer> {
    let (_, content_type, content) = PARTS.iter().find(|(own, ..)| *own == path)?;
    let mut answer: hyper::Response<Full<Bytes>> =
        whole(StatusCode::OK, content_type, Bytes::from_static(content.as_bytes()));
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Some(answer)
}
