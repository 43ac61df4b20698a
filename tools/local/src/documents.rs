//! The documents of an API, beside its template: `openapi.yaml`, and `docs/api.md` as a page.
//!
//! They are served by `local` alone. A deployed API does not have them, and a route of the template is served
//! instead of a document with the same path.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emulator::StaticFile;
use http::HeaderMap;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// The style of the page.
const STYLE: &str = include_str!("documents.css");

/// Reads the documents that are beside `template`.
///
/// `openapi.yaml` is for `/openapi.yaml`, and `docs/api.md`, rendered, for `/docs`. One that is missing is left out:
/// another template need not have it.
#[must_use]
pub fn documents(template: &Path) -> Vec<StaticFile> {
    let read = |name| std::fs::read_to_string(template.with_file_name(name)).ok();
    let description = read("openapi.yaml").map(|text| file("/openapi.yaml", "application/yaml", "", text));
    let reference = read("docs/api.md").map(|text| {
        let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
        let policy = format!("style-src 'sha256-{hash}'; ");
        file("/docs", "text/html; charset=utf-8", &policy, page(&text))
    });
    description.into_iter().chain(reference).collect()
}

/// A document that may load nothing except what `policy` allows.
fn file(path: &'static str, content_type: &'static str, policy: &str, body: String) -> StaticFile {
    let policy = format!("default-src 'none'; {policy}base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(policy) = policy.parse() {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    StaticFile { path, headers, body }
}

/// Markdown as a page, whose headings have the anchors that GitHub gives them.
fn page(markdown: &str) -> String {
    let mut events: Vec<_> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    for index in 0..events.len() {
        let (before, after) = events.split_at_mut(index + 1);
        if let Event::Start(Tag::Heading { id, .. }) = &mut before[index] {
            let heading = after.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
            let words = heading.filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(&**text),
                _ => None,
            });
            *id = Some(anchor(&words.collect::<String>()).into());
        }
    }
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>The HTTP API</title>\n<style>{STYLE}</style>\n<main>\n{body}</main>\n"
    )
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let is_kept = |it: &char| it.is_alphanumeric() || matches!(it, '-' | '_');
    heading.to_lowercase().replace(' ', "-").chars().filter(is_kept).collect()
}
