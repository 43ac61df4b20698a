//! Sign-in with Cognito: a public client, which has no secret, and the code flow with PKCE (RFC 7636).

use std::{fmt, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use form_urlencoded::Serializer;
use http::{Request, StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::json;

use super::{
    https::{self, Https},
    unavailable,
};
use crate::{IdentityProvider, PageTokens, RefreshToken, Unavailable};

/// The client of a user pool.
pub struct Cognito {
    https: Https,
    token_url: String,
    api_url: String,
    client_id: String,
    /// Where Cognito sends a browser after the sign-in.
    redirect_uri: String,
}

/// A reply of Cognito that is neither tokens nor their refusal.
#[derive(Debug, thiserror::Error)]
#[error("Cognito replied {0} and something other than tokens")]
struct Unexpected(StatusCode);

/// The reply of the token endpoint.
///
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html>
#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
    id_token: String,
    expires_in: u64,
    /// There is none after a refresh.
    refresh_token: Option<String>,
}

/// The error of the token endpoint (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct ErrorReply {
    error: String,
}

impl Cognito {
    /// The client of a function: `SIGN_IN_URL` is the domain of the user pool, `COGNITO_API_URL` the API of Cognito,
    /// `CLIENT_ID` the client, and `ALLOWED_ORIGIN` the page that it serves. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self {
            https: Https::new(),
            token_url: https::url(settings, "SIGN_IN_URL")? + "/oauth2/token",
            api_url: https::url(settings, "COGNITO_API_URL")? + "/",
            client_id: settings.text("CLIENT_ID")?,
            redirect_uri: settings.text("ALLOWED_ORIGIN")? + "/callback",
        }))
    }

    /// Calls the token endpoint; `None` if the grant is refused.
    async fn tokens(&self, grant: &[(&str, &str)]) -> Result<Option<TokenReply>, Unavailable> {
        let form =
            Serializer::new(String::new()).append_pair("client_id", &self.client_id).extend_pairs(grant).finish();
        let request = Request::post(&self.token_url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let (status, body) = self.https.send(request.body(form.into_bytes()).map_err(unavailable)?).await?;
        // serde's error can quote the reply, so it is left out of the cause.
        match status {
            StatusCode::OK => serde_json::from_str(&body).map(Some).map_err(|_| unavailable(Unexpected(status))),
            StatusCode::BAD_REQUEST
                if serde_json::from_str::<ErrorReply>(&body).is_ok_and(|reply| reply.error == "invalid_grant") =>
            {
                Ok(None)
            }
            status => Err(unavailable(Unexpected(status))),
        }
    }
}

impl fmt::Debug for Cognito {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cognito").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl From<TokenReply> for PageTokens {
    fn from(TokenReply { access_token, id_token, expires_in, .. }: TokenReply) -> Self {
        Self { access_token, id_token, expires_in }
    }
}

#[async_trait]
impl IdentityProvider for Cognito {
    async fn exchange(&self, code: &str, verifier: &str) -> Result<Option<(PageTokens, RefreshToken)>, Unavailable> {
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", &self.redirect_uri),
        ];
        let Some(mut reply) = self.tokens(&grant).await? else { return Ok(None) };
        let refresh_token = reply.refresh_token.take().and_then(|token| RefreshToken::parse(&token));
        let refresh_token = refresh_token.ok_or_else(|| unavailable(Unexpected(StatusCode::OK)))?;
        Ok(Some((reply.into(), refresh_token)))
    }

    async fn refresh(&self, token: &RefreshToken) -> Result<Option<PageTokens>, Unavailable> {
        let reply = self.tokens(&[("grant_type", "refresh_token"), ("refresh_token", token.expose())]).await?;
        Ok(reply.map(PageTokens::from))
    }

    async fn revoke(&self, token: &RefreshToken) -> Result<(), Unavailable> {
        // An action that needs no signature: it proves itself with the token.
        let body = json!({"Token": token.expose(), "ClientId": self.client_id}).to_string();
        let request = Request::post(&self.api_url)
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", "AWSCognitoIdentityProviderService.RevokeToken");
        match self.https.send(request.body(body.into_bytes()).map_err(unavailable)?).await? {
            (StatusCode::OK, _) => Ok(()),
            (status, _) => Err(unavailable(Unexpected(status))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
    };

    use super::*;

    /// A client of a server that replies once, with this status and body; the server returns the request.
    fn client(status: u16, body: &'static str) -> (Arc<Cognito>, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut received = [0; 4096];
            let length = connection.read(&mut received).unwrap();
            let reply = format!("HTTP/1.1 {status} Reply\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            connection.write_all(reply.as_bytes()).unwrap();
            String::from_utf8(received[..length].to_vec()).unwrap()
        });
        let lookup = move |name: &str| match name {
            "CLIENT_ID" => Some("client".to_owned()),
            "ALLOWED_ORIGIN" => Some("https://shop.example.com".to_owned()),
            _ => Some(url.clone()),
        };
        (Cognito::from_settings(Settings::new(&lookup)).unwrap(), server)
    }

    const TOKENS: &str = r#"{"access_token":"canary-a","id_token":"canary-i","expires_in":900,"refresh_token":"r.1"}"#;

    #[tokio::test]
    async fn a_code_is_exchanged_as_the_client_and_for_the_callback_of_the_page() {
        let (cognito, server) = client(200, TOKENS);
        let (tokens, refresh_token) = cognito.exchange("a&b", "v~1").await.unwrap().unwrap();
        assert_eq!((tokens.access_token.as_str(), refresh_token.expose()), ("canary-a", "r.1"));
        let request = server.join().unwrap();
        assert!(request.starts_with("POST /oauth2/token HTTP/1.1\r\n"), "{request}");
        let expected = "client_id=client&grant_type=authorization_code&code=a%26b&code_verifier=v%7E1\
                        &redirect_uri=https%3A%2F%2Fshop.example.com%2Fcallback";
        assert_eq!(request.split("\r\n\r\n").nth(1), Some(expected));
    }

    #[tokio::test]
    async fn a_grant_that_is_refused_is_none_and_any_other_error_is_unavailable_and_quotes_nothing() {
        let token = RefreshToken::parse("canary").unwrap();
        let (cognito, _) = client(400, r#"{"error":"invalid_grant"}"#);
        assert_eq!(cognito.refresh(&token).await.unwrap(), None);
        for (status, body) in [
            (400, r#"{"error":"invalid_client","canary":1}"#),
            (400, "canary"),
            (401, r#"{"error":"invalid_grant"}"#),
            (200, r#"{"access_token":"canary"}"#),
            (200, "canary"),
            (302, ""),
            (429, ""),
            (500, "canary"),
        ] {
            let (cognito, _) = client(status, body);
            let error = cognito.refresh(&token).await.unwrap_err();
            let shown = format!("{} {error:?}", apigw::chain(&error));
            assert!(!shown.contains("canary"), "{shown}");
            // Nor are they the end of a session.
            let (cognito, _) = client(status, body);
            assert_eq!(cognito.revoke(&token).await.is_ok(), status == 200);
        }
    }

    #[tokio::test]
    async fn without_a_refresh_token_that_a_cookie_can_hold_there_is_no_session() {
        for body in [
            r#"{"access_token":"a","id_token":"i","expires_in":900}"#,
            r#"{"access_token":"a","id_token":"i","expires_in":900,"refresh_token":"a;b"}"#,
        ] {
            let (cognito, _) = client(200, body);
            assert!(cognito.exchange("code", "verifier").await.is_err(), "{body}");
        }
    }
}
