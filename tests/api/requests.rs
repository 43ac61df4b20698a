//! The rest of a request, around a good token: what the contract ignores, and what it refuses.

use reqwest::{Method, RequestBuilder};

use crate::{
    api::{Answer, Api, body, send},
    target::Target,
};

async fn api() -> Api {
    Api::start("requests").await
}

/// The body with a token and another member, `length` bytes in all.
fn body_of(length: usize, token: &str) -> String {
    let shortest = format!(r#"{{"token":"{token}","other":""}}"#);
    shortest.replace(r#""""#, &format!(r#""{}""#, "x".repeat(length - shortest.len())))
}

#[tokio::test]
async fn what_the_contract_ignores_does_not_keep_a_token_from_being_spent() {
    let api = api().await;
    let post = |path: &str| api.request(Method::POST, path);
    let requests: [&dyn Fn(&str) -> RequestBuilder; 12] = [
        &|token| post("/validate").body(body(token)).header("content-type", "text/plain; charset=utf-16"),
        &|token| post("/validate").body(body(token)).header("content-type", "application/x-www-form-urlencoded"),
        &|token| post("/validate?page=1&tokens=x&token[]=x").body(body(token)),
        &|token| post("/validate").body(body(token)).header("x-access-token", ""),
        &|token| post("/validate").body(body(token)).header("authorization", "Basic eDp4"),
        &|token| post("/validate").body(body(token)).header("authorization", "Bearer "),
        &|token| post("/validate").body(body("")).header("x-access-token", token),
        &|token| post("/validate").body("{}").header("authorization", format!("Bearer {token}")),
        &|token| post("/validate").body(format!(r#" {{"a":1,"a":[{{}}],"b":null,"token":"{token}","Token":"x"}} "#)),
        &|token| post("/tokens").body(body_of(4096, token)),
        &|token| post("/validate").body(body(token)).header("idempotency-key", "k".repeat(255)),
        &|token| post("/tokens/").body(body(token)).header("cookie", "token=x"),
    ];
    for (index, request) in requests.into_iter().enumerate() {
        assert_eq!(send(request(&api.mint().await)).await.status, 200, "request {index}");
    }
}

#[tokio::test]
async fn what_the_contract_refuses_leaves_a_good_token_unspent() {
    let api = api().await;
    let token = &api.mint().await;
    let post = |path: &str| api.request(Method::POST, path);
    let in_header = |body: &'static str| post("/validate").header("x-access-token", token).body(body);
    let refused = [
        post("/validate?token").body(body(token)),
        post("/tokens?token=").body(body(token)),
        post("/validate?page=1&access_token=x").header("x-access-token", token),
        in_header("x"),
        in_header(" "),
        in_header("null"),
        in_header("[]"),
        in_header(r#"{"token":1}"#),
        in_header(r#"{"token":null}"#),
        in_header("{} {}"),
        post("/validate").body(body(token)).header("idempotency-key", "k".repeat(256)),
        post("/validate").body(body(token)).header("idempotency-key", ""),
    ];
    for (index, request) in refused.into_iter().enumerate() {
        assert_eq!(send(request).await.refusal(), (400, "invalid_request".into()), "request {index}");
    }
    let too_large = [post("/validate").body(body_of(4097, token)), post("/tokens").header("x-access-token", token)];
    let [in_body, in_header] = too_large;
    for request in [in_body, in_header.body("x".repeat(4097))] {
        assert_eq!(send(request).await.refusal(), (413, "request_too_large".into()));
    }
    assert_eq!(api.validate(body(token)).await.status, 200);
}

#[tokio::test]
async fn a_header_that_is_sent_twice_is_not_one_value() {
    let api = api().await;
    let token = &api.mint().await;
    let post = || api.request(Method::POST, "/validate");
    let twice = send(post().header("x-access-token", token).header("x-access-token", token)).await.refusal();
    // The target may have joined them with a comma.
    let joined = (401, "invalid_token".to_owned());
    assert!(twice == (400, "invalid_request".into()) || (api.target != Target::Local && twice == joined), "{twice:?}");
    if api.target == Target::Local {
        let two_keys = post().body(body(token)).header("idempotency-key", "a").header("idempotency-key", "a");
        assert_eq!(send(two_keys).await.refusal(), (400, "invalid_request".into()));
    }
    assert_eq!(api.validate(body(token)).await.status, 200);
}

#[tokio::test]
async fn the_routes_that_mint_read_nothing_from_the_request() {
    let api = api().await;
    let get = |path: &str| {
        let request = api.request(Method::GET, path).header("authorization", "Bearer mine");
        let request = request.header("x-access-token", "mine").header("idempotency-key", "k".repeat(256));
        send(request.header("content-type", "nonsense"))
    };
    let hello = get("/hello?token=x&access_token=x").await;
    assert_eq!((hello.status, hello.json()["status"].as_str()), (200, Some("success")));
    assert!(hello.header("x-access-token") == hello.json()["accessToken"]);

    let issued: Answer = get("/tokens?token=x&access_token=x").await;
    assert_eq!((issued.status, issued.header("x-access-token")), (200, ""));
    assert_eq!(api.validate(body(issued.json()["token"].as_str().unwrap())).await.status, 200);
}
