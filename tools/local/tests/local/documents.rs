//! The documents that `local` serves besides the API.

use std::fs;
use std::path::Path;

use local::{Options, Server, documents};
use reqwest::{Client, Response};

/// Serves a template with the documents beside it. Returns the URL.
async fn start(template: &Path) -> String {
    let options = Options { files: documents(template), ..Options::new(template) };
    let server = Server::bind(options, &local::functions().unwrap()).await.unwrap();
    let url = server.url().to_owned();
    tokio::spawn(server.serve(std::future::pending()));
    url
}

async fn get(url: &str) -> (u16, String, String) {
    let response: Response = Client::new().get(url).send().await.unwrap();
    let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (status, policy) = (response.status().as_u16(), header("content-security-policy"));
    (status, policy, response.text().await.unwrap())
}

#[tokio::test]
async fn the_description_and_the_reference_are_served_without_anything_that_a_page_could_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let url = start(&root.join("template.yaml")).await;
    let (status, policy, description) = get(&format!("{url}/openapi.yaml")).await;
    assert_eq!((status, description), (200, fs::read_to_string(root.join("openapi.yaml")).unwrap()));
    assert!(policy.starts_with("default-src 'none'; base-uri"), "{policy}");

    let (status, policy, reference) = get(&format!("{url}/docs")).await;
    assert_eq!(status, 200);
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("script"), "{policy}");
    for part in ["<h2 id=\"get-hello\">GET /hello</h2>", "<a href=\"#get-hello\">", "<table>", "<td><code>no-store"] {
        assert!(reference.contains(part), "{part}");
    }
    for part in ["<script", "style=\"", "src=", "<link"] {
        assert!(!reference.contains(part), "{part}");
    }
    // Other methods are requests to the API, which has no such path.
    let post = Client::new().post(format!("{url}/docs")).send().await.unwrap();
    assert_eq!(post.status(), 403);
}

#[tokio::test]
async fn a_route_of_the_template_is_served_instead_of_a_document_and_a_missing_document_is_an_unknown_path() {
    let folder = std::env::temp_dir().join(format!("documents-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let template = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml")).unwrap();
    fs::write(folder.join("template.yaml"), template.replace("Path: /tokens\n", "Path: /openapi.yaml\n")).unwrap();
    fs::write(folder.join("openapi.yaml"), "another").unwrap();

    let url = start(&folder.join("template.yaml")).await;

    let (status, _, body) = get(&format!("{url}/openapi.yaml")).await;
    assert!(status == 200 && body.starts_with("{\"token\":"));
    assert_eq!(get(&format!("{url}/docs")).await.0, 403);
    fs::remove_dir_all(folder).unwrap();
}
