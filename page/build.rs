//! Joins the files of `web/` into one page, and writes the policy that lets exactly its script and its style run.

use std::{env, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The folder with the sources of the page.
const WEB: &str = "../web";

fn main() {
    println!("cargo::rerun-if-changed={WEB}");
    let [mut page, style, script, texts] = ["index.html", "page.css", "page.js", "text.json"].map(read);
    let script = bare(&script);
    // A style needs no space before a block or after a property.
    let style = bare(&style).replace(" {", "{").replace(": ", ":").replace("; ", ";");
    let texts = serde_json::from_str::<Value>(&texts).expect("text.json is JSON").to_string();
    for (link, start, content, end) in [
        (r#"<link rel="stylesheet" href="page.css">"#, "<style>", &style, "</style>"),
        (r#"<script type="module" src="page.js"></script>"#, r#"<script type="module">"#, &script, "</script>"),
        (
            r#"<script type="application/json" id="texts" src="text.json"></script>"#,
            r#"<script type="application/json" id="texts">"#,
            &texts,
            "</script>",
        ),
    ] {
        assert_eq!(page.matches(link).count(), 1, "index.html does not have exactly one {link}");
        assert!(!content.contains(end), "{end} would end the element that holds it");
        page = page.replace(link, &format!("{start}{content}{end}"));
    }
    // The texts need no hash: a block of data does not run.
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(&script),
        hash(&style),
    );
    write("page.html", &page);
    write("policy.txt", &policy);
}

/// The text of a file of `web/`.
fn read(name: &str) -> String {
    let path = Path::new(WEB).join(name);
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

/// A script or a style without its indentation, its blank lines, and the lines that are only a comment.
fn bare(source: &str) -> String {
    let lines = source.lines().map(str::trim);
    let is_code = |line: &&str| !line.is_empty() && !["//", "/*", "*"].iter().any(|start| line.starts_with(start));
    lines.filter(is_code).flat_map(|line| [line, "\n"]).collect()
}

/// The source expression of an inline script or style (CSP 3, section 2.3.1).
fn hash(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

/// Writes a file where the crate includes it from.
fn write(name: &str, content: &str) {
    let folder = env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join(name), content).expect("Cargo makes OUT_DIR");
}
