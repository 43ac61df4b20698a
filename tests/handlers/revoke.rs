//! `revoke`: revokes a token, and answers 200 whatever it was.

use std::sync::Arc;

use ::revoke::{Service, handle};
use apigw::{Event, Settings};
use serde_json::{Value, json};
use tokens::{KeyStore, Revoke};

use crate::helpers::{
    DownKeyStore, DownStore, NOW, UntouchedStore, body, event, invocation, jti, keys, minted, ports, sample, service,
    setting, store,
};

/// `revoke` with the given keys and store.
fn revoke(keys: Arc<dyn KeyStore>, store: Arc<impl Revoke + 'static>) -> Service {
    Service::new(Settings::new(&setting), ports(keys, store)).unwrap()
}

/// The request of an operator with this body.
fn request(body: impl Into<Value>) -> Event {
    let mut request = sample("revoke", "");
    request["body"] = body.into();
    invocation(&request, "revoke-1")
}

#[tokio::test]
async fn a_token_is_revoked_by_itself_or_by_its_id_as_json_or_as_a_form() {
    let bodies: [fn(&str) -> String; 4] = [
        |token| json!({"token": token, "token_type_hint": "access_token"}).to_string(),
        |token| format!("token={token}&token_type_hint=access_token"),
        |token| json!({"jti": jti(token).to_string()}).to_string(),
        |token| format!("jti={}", jti(token)),
    ];
    for body_of in bodies {
        let store = store();
        let token = minted(keys(), store.clone()).await;
        for _ in 0..2 {
            let response = handle(&revoke(keys(), store.clone()), request(body_of(&token))).await.unwrap();
            assert_eq!((response.status_code, body(&response)), (200, json!({"status": "success"})));
        }
        assert_eq!(store.row(&jti(&token)).unwrap().revoked_at, Some(NOW));
        let spent = ::validate::handle(&service(keys(), store), event("validate", &token, "validate-1")).await.unwrap();
        assert_eq!((spent.status_code, body(&spent)["reason"].as_str()), (401, Some("revoked")));
    }
}

#[tokio::test]
async fn a_token_of_every_audience_is_revoked() {
    let store = store();
    let token = crate::issue::minted_for("report-link", store.clone()).await;
    handle(&revoke(keys(), store.clone()), event("revoke", &token, "revoke-1")).await.unwrap();
    assert!(store.row(&jti(&token)).unwrap().revoked_at.is_some());
}

#[tokio::test]
async fn a_spent_token_stays_spent_and_the_answer_is_200() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    ::validate::handle(&service(keys(), store.clone()), event("validate", &token, "validate-1")).await.unwrap();
    for body_of in [json!({"token": token}), json!({"jti": jti(&token).to_string()})] {
        let response = handle(&revoke(keys(), store.clone()), request(body_of.to_string())).await.unwrap();
        assert_eq!(response.status_code, 200);
    }
    assert_eq!(store.row(&jti(&token)).unwrap().revoked_at, None);
}

#[tokio::test]
async fn a_token_that_is_not_genuine_is_200_and_costs_no_call_to_the_store() {
    let response = handle(&revoke(keys(), Arc::new(UntouchedStore)), event("revoke", "eyJ.t.t", "revoke-1")).await;
    assert_eq!(response.unwrap().status_code, 200);
}

#[tokio::test]
async fn an_unknown_id_is_200_and_gets_no_row() {
    let store = store();
    let jti = tokens::Jti::parse("0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f").unwrap();
    let response = handle(&revoke(keys(), store.clone()), request(format!("jti={jti}"))).await.unwrap();
    assert_eq!((response.status_code, store.row(&jti)), (200, None));
}

#[tokio::test]
async fn anything_but_one_token_or_one_id_is_400_with_the_code_of_oauth() {
    let service = revoke(keys(), Arc::new(UntouchedStore));
    let id = "0198d7a2-6c0e-4f5e-9d43-3a1b2c4d5e6f";
    let bodies = [
        Value::Null,
        "".into(),
        "{}".into(),
        "[]".into(),
        "token=".into(),
        "token_type_hint=access_token".into(),
        format!("token=a&jti={id}").into(),
        json!({"token": "a", "jti": id}).to_string().into(),
        "token=a&token=b".into(),
        "token=a\n".into(),
        json!({"token": " a"}).to_string().into(),
        r#"{"token":"a","token":"b"}"#.into(),
        r#"{"token":1}"#.into(),
        r#"{"token":null}"#.into(),
        r#"{"token":"a"}&token=b"#.into(),
        r#"{"token":"a""#.into(),
        "jti=17".into(),
        format!("jti={}", id.to_uppercase()).into(),
        format!("jti={{{id}}}").into(),
        json!({"jti": format!("{id} ")}).to_string().into(),
    ];
    for request_body in bodies {
        let response = handle(&service, request(request_body.clone())).await.unwrap();
        let body = body(&response);
        assert_eq!(response.status_code, 400, "{request_body}");
        assert_eq!((&body["error"], &body["reason"]), (&"invalid_request".into(), &"invalid_request".into()));
    }
    let response = handle(&service, request(format!("token={}", "x".repeat(4096)))).await.unwrap();
    assert_eq!((response.status_code, &body(&response)["error"]), (413, &"invalid_request".into()));
    let mut in_query = sample("revoke", "a");
    in_query["queryStringParameters"] = json!({"token": "a"});
    assert_eq!(handle(&service, invocation(&in_query, "revoke-1")).await.unwrap().status_code, 400);
}

#[tokio::test]
async fn without_a_store_or_a_key_it_is_503_with_the_code_of_oauth() {
    let token = minted(keys(), store()).await;
    for service in [revoke(keys(), Arc::new(DownStore)), revoke(Arc::new(DownKeyStore), Arc::new(DownStore))] {
        let response = handle(&service, event("revoke", &token, "revoke-1")).await.unwrap();
        let body = body(&response);
        assert_eq!((response.status_code, &body["error"]), (503, &"temporarily_unavailable".into()));
        assert!(!body.to_string().contains("Tokens-1A2B"));
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_its_id_without_a_key() {
    let store = store();
    let token = minted(keys(), store.clone()).await;
    let request = request(format!("jti={}", jti(&token)));
    let response = handle(&revoke(Arc::new(DownKeyStore), store.clone()), request).await.unwrap();
    assert_eq!((response.status_code, store.row(&jti(&token)).unwrap().revoked_at), (200, Some(NOW)));
}
