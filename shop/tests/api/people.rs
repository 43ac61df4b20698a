//! People who are signed in.

use std::collections::BTreeMap;

use reqwest::{Client, Method, RequestBuilder, Url, redirect::Policy};
use serde_json::{Value, json};

use crate::api::{Answer, Api};

/// Any verifier, and the challenge that is its SHA-256 (RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A person with an account.
#[derive(Clone, Copy)]
pub(crate) enum Person {
    Admin,
    Employee,
}

/// A person who is signed in.
pub(crate) struct Staff {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
    /// The cookie, as a browser sends it.
    pub(crate) cookie: String,
}

impl Api {
    /// Signs in on the pages of the emulator, and returns the code that the browser is sent back with.
    pub(crate) async fn code(&self, person: Person) -> String {
        let variable = |name| apigw::env(name).unwrap_or_else(|| panic!("{name} is not set"));
        let (name, email) = match person {
            Person::Admin => ("SHOP_ADMIN_PASSWORD", "admin@example.com"),
            Person::Employee => ("SHOP_EMPLOYEE_PASSWORD", "employee@example.com"),
        };
        let callback = format!("{}/callback", self.site);
        let mut form = BTreeMap::from([
            ("client_id", variable("SHOP_CLIENT_ID")),
            ("redirect_uri", callback.clone()),
            ("response_type", "code".into()),
            ("scope", "openid email".into()),
            ("state", "state-1".into()),
            ("code_challenge", CHALLENGE.into()),
            ("code_challenge_method", "S256".into()),
        ]);
        let url = variable("SHOP_SIGN_IN_URL");
        let browser = Client::builder().redirect(Policy::none()).build().unwrap();
        let page = Url::parse_with_params(&format!("{url}/oauth2/authorize"), &form).unwrap();
        let page = browser.get(page).send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.text().await.unwrap().contains("password"), "there is no form");
        form.extend([("username", email.into()), ("password", variable(name))]);
        let form = Url::parse_with_params(&url, &form).unwrap().query().unwrap().to_owned();
        let post = browser.post(format!("{url}/login")).header("content-type", "application/x-www-form-urlencoded");
        let done = post.body(form).send().await.unwrap();
        let back = Url::parse(done.headers()["location"].to_str().unwrap()).unwrap();
        assert!(back.as_str().starts_with(&callback));
        let query: BTreeMap<_, _> = back.query_pairs().collect();
        assert_eq!(query["state"], "state-1");
        query["code"].to_string()
    }

    /// `POST` to a route of a session, as the page does.
    pub(crate) fn page_posts(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path).header("origin", &self.site)
    }

    pub(crate) async fn exchange(&self, path: &str, code: &str, verifier: &str) -> Answer {
        let body = json!({"code": code, "code_verifier": verifier});
        self.send(self.page_posts(path).body(body.to_string())).await
    }

    pub(crate) async fn sign_in(&self, person: Person) -> Staff {
        let answer = self.exchange("/auth/exchange", &self.code(person).await, VERIFIER).await;
        assert_eq!(answer.status, 200, "{:?}", answer.refusal());
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let token = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Staff { access_token: token("access_token"), id_token: token("id_token"), cookie }
    }

    /// A request of a person with an access token.
    pub(crate) async fn call(&self, token: &str, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).header("authorization", format!("Bearer {token}"));
        self.send(if body.is_null() { request } else { request.body(body.to_string()) }).await
    }
}
