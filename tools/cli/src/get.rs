//! `get` and `mint`: print a new token.

use serde_json::json;

use crate::{
    arguments::Source,
    client::{Client, Reply},
    outcome::{Answer, Code, Failure, plain},
    signer::Signer,
    token::Token,
};

/// A new token.
pub(crate) struct Minted {
    /// The token.
    pub(crate) token: Token,
    /// When it expires.
    expires_at: String,
}

impl Minted {
    /// The token in the members `token` and `expires_at` of a reply.
    fn from_reply(reply: &Reply, token: &str, expires_at: &str) -> Result<Self, Failure> {
        let members = (reply.text(token).and_then(Token::from_reply), reply.text(expires_at));
        let (Some(token), Some(expires_at)) = members else { return Err(reply.failure()) };
        Ok(Self { token, expires_at: plain(expires_at) })
    }

    /// The identifier of the token.
    pub(crate) fn jti(&self) -> String {
        self.claim("jti")
    }

    fn claim(&self, name: &str) -> String {
        self.token.claim(name).as_ref().and_then(|it| it.as_str()).map(plain).unwrap_or_default()
    }

    /// What a person wants to know of it.
    pub(crate) fn note(&self) -> String {
        let (jti, audience) = (self.jti(), self.claim("aud"));
        format!("A token for {audience} until {}. It works once.\njti {jti}\n", self.expires_at)
    }

    /// The token alone, or with its expiry as JSON.
    pub(crate) fn answer(&self) -> Answer {
        let token = self.token.reveal();
        let json = json!({"token": token, "expiresAt": self.expires_at, "jti": self.jti()});
        Answer { code: Code::Yes, text: format!("{token}\n"), json }
    }
}

/// Mints a token that anyone may have.
///
/// # Errors
///
/// The failure, if there is no token.
pub(crate) async fn get(client: &Client, from: Source) -> Result<Minted, Failure> {
    let (route, token, expires_at) = match from {
        Source::Hello => ("/hello", "accessToken", "expiresAt"),
        Source::Tokens => ("/tokens", "token", "expiration"),
    };
    Minted::from_reply(&client.succeed(client.get(route)).await?, token, expires_at)
}

/// Mints a token for the named audience `audience`.
///
/// # Errors
///
/// The failure, if there is no token.
pub(crate) async fn mint(
    client: &Client,
    signer: &Signer,
    audience: &str,
    ttl_seconds: Option<u64>,
) -> Result<Minted, Failure> {
    let mut body = json!({ "audience": audience });
    if let Some(seconds) = ttl_seconds {
        body["ttlSeconds"] = json!(seconds);
    }
    let request = signer.sign(client.post("/tokens/mint", &body))?;
    Minted::from_reply(&client.succeed(request).await?, "token", "expiration")
}
