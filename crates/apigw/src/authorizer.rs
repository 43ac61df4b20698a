//! What a Lambda authorizer answers.

use aws_lambda_events::{
    apigw::ApiGatewayCustomAuthorizerResponse,
    iam::{IamPolicyEffect, IamPolicyStatement},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What the minting authorizer tells the function behind it.
///
/// API Gateway passes a context on as flat strings, in `requestContext.authorizer`.
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

/// Allows `principal_id` the one method that was called, and passes `context` on.
///
/// The policy names the method's ARN and no pattern: nothing is cached, so nothing else is asked.
#[must_use]
pub fn allow<C: Default + DeserializeOwned + Serialize>(
    method_arn: &str,
    principal_id: String,
    context: C,
) -> ApiGatewayCustomAuthorizerResponse<C> {
    let mut statement = IamPolicyStatement::default();
    statement.action = vec!["execute-api:Invoke".into()];
    statement.effect = IamPolicyEffect::Allow; // the crate's default too, but never left to it
    statement.resource = vec![literal(method_arn)];
    let mut response = ApiGatewayCustomAuthorizerResponse::default();
    response.principal_id = Some(principal_id);
    response.policy_document.version = Some("2012-10-17".into());
    response.policy_document.statement = vec![statement];
    response.context = context;
    response
}

/// The ARN as a policy's resource that matches itself alone: a client may put `*`, `?` and `$`,
/// which a policy would take for patterns and variables, into a path.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
fn literal(arn: &str) -> String {
    let mut literal = String::with_capacity(arn.len());
    for character in arn.chars() {
        match character {
            '*' | '?' | '$' => literal.extend(['$', '{', character, '}']),
            _ => literal.push(character),
        }
    }
    literal
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a59_the_policy_allows_the_called_method_and_nothing_else() {
        let arn = "arn:aws:execute-api:eu-west-1:123456789012:abc/Prod/GET/hello";
        let response = allow(arn, "jti-1".into(), json!({"accessToken": "t"}));
        assert_eq!(
            serde_json::to_value(&response).unwrap(),
            json!({
                "principalId": "jti-1",
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Action": ["execute-api:Invoke"], "Effect": "Allow", "Resource": [arn]}],
                },
                "context": {"accessToken": "t"},
                "usageIdentifierKey": null,
            })
        );
    }

    #[test]
    fn a60_a_path_that_looks_like_a_pattern_matches_itself_alone() {
        assert_eq!(literal("a/*/b?c=${d}%2F"), "a/${*}/b${?}c=${$}{d}%2F");
    }

    #[test]
    fn debug_shows_no_token() {
        let context = MintedContext { access_token: "eyJ".into(), ..MintedContext::default() };
        assert!(!format!("{context:?}").contains("eyJ"));
    }
}
