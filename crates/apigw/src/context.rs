//! The contexts that the authorizers pass to the functions behind them.

use serde::{Deserialize, Serialize};

/// The context that the minting authorizer passes to the function behind it.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MintedContext {
    /// The token.
    pub access_token: String,
    /// When it expires, in RFC 3339.
    pub expires_at: String,
    /// The `requestContext.requestId` of the request that it was minted for.
    pub minted_for: String,
    /// When it was minted, in RFC 3339.
    pub decided_at: String,
}

impl std::fmt::Debug for MintedContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MintedContext").field("decided_at", &self.decided_at).finish_non_exhaustive()
    }
}

/// The context that `guard` passes to the function behind it. `used_at` and `decided_at` are the same time:
/// a guard never allows a request for a token that was spent earlier.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpentContext {
    /// The identifier of the token that was spent.
    pub jti: String,
    /// When it was minted, in RFC 3339.
    pub issued_at: String,
    /// When it was spent, in RFC 3339.
    pub used_at: String,
    /// The host that it was minted on; empty if unknown.
    pub host: String,
    /// The `requestContext.requestId` of the request that it was spent for.
    pub spent_for: String,
    /// When the request was allowed, in RFC 3339.
    pub decided_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_token() {
        let context = MintedContext { access_token: "eyJ".into(), ..MintedContext::default() };
        assert_eq!(format!("{context:?}"), r#"MintedContext { decided_at: "", .. }"#);
    }
}
