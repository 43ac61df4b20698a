//! What a Lambda authorizer answers.

use std::future::Future;

use lambda_runtime::Error;
use serde::Serialize;

use crate::{
    Event, Request, metrics,
    request::{UnreadableEvent, Version, Wire},
};

/// What an authorizer decides about a request, with the context for the function behind it.
///
/// API Gateway passes the context on as flat strings. Do not name a key `requestId`, `status`, `error` or
/// `latency`: a gateway response could not refer to it.
#[derive(Debug)]
pub enum Decision<C> {
    /// The request reaches the function.
    Allow {
        /// Who the caller is: the token's id.
        principal_id: String,
        /// The context for the function.
        context: C,
    },
    /// The request is refused, with the gateway response `ACCESS_DENIED`.
    Deny {
        /// The context that this response can refer to.
        context: C,
    },
}

/// An authorizer's answer, in the format of its event's payload.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>
#[derive(Serialize)]
#[serde(untagged)]
pub enum Answer<C> {
    /// Payload 1.0: an IAM policy.
    #[serde(rename_all = "camelCase")]
    Policy {
        /// Who the caller is.
        principal_id: String,
        /// Which method the caller may or may not call.
        policy_document: PolicyDocument,
        /// The context for the function or the gateway response.
        context: C,
    },
    /// Payload 2.0: a simple response.
    #[serde(rename_all = "camelCase")]
    Simple {
        /// Whether the request reaches the function.
        is_authorized: bool,
        /// The context for the function.
        context: C,
    },
}

impl<C> std::fmt::Debug for Answer<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer(..)") // the context may hold a token
    }
}

/// An IAM policy with one statement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

/// An event that an authorizer cannot handle.
#[derive(Debug, thiserror::Error)]
enum EventError {
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    #[error("the event's type is not REQUEST")]
    NotARequest,
    #[error("the event has no {0}")]
    Incomplete(&'static str),
}

/// Answers the event of a REQUEST authorizer with the decision that `decide` makes.
///
/// # Errors
///
/// If `decide` fails, or the event is not that of a REQUEST authorizer. An error is never an Allow: API
/// Gateway answers it with the gateway response `AUTHORIZER_FAILURE`, a 503. The cause is logged and counted
/// here, once, with its whole chain of sources.
pub async fn authorize<C, F>(event: Event, decide: impl FnOnce(Request) -> F) -> Result<Answer<C>, Error>
where
    F: Future<Output = Result<Decision<C>, Error>>,
{
    let mut request_id = String::new();
    let answer = async {
        let mut wire = Wire::parse(&event.payload).map_err(EventError::from)?;
        if wire.kind.as_deref() != Some("REQUEST") {
            return Err(EventError::NotARequest.into());
        }
        let method_arn = wire.method_arn.take().filter(|arn| !arn.is_empty());
        let method_arn = match wire.version {
            Version::One => Some(method_arn.ok_or(EventError::Incomplete("methodArn"))?),
            Version::Two => None,
        };
        let request = wire.into_request(event.context.request_id);
        if request.request_id.is_empty() {
            return Err(EventError::Incomplete("requestContext.requestId").into());
        }
        request_id.clone_from(&request.request_id);
        Ok(answer(decide(request).await?, method_arn.as_deref()))
    };
    let answer: Result<_, Error> = answer.await;
    answer.inspect_err(|err| metrics::unavailable("the authorizer failed", Some(&**err), &request_id))
}

/// The answer for a decision: a policy for the method `method_arn`, or a simple response if there is no ARN.
fn answer<C>(decision: Decision<C>, method_arn: Option<&str>) -> Answer<C> {
    let (is_authorized, principal_id, context) = match decision {
        Decision::Allow { principal_id, context } => (true, principal_id, context),
        Decision::Deny { context } => (false, "refused".to_owned(), context),
    };
    let Some(method_arn) = method_arn else { return Answer::Simple { is_authorized, context } };
    // The method's ARN and no pattern: nothing is cached, so the policy is for this request alone.
    let statement = Statement {
        action: "execute-api:Invoke",
        effect: if is_authorized { "Allow" } else { "Deny" },
        resource: literal(method_arn),
    };
    let policy_document = PolicyDocument { version: "2012-10-17", statement: [statement] };
    Answer::Policy { principal_id, policy_document, context }
}

/// Escapes an ARN for a policy's `Resource`, so that it matches only itself: a client can put `*`, `?`
/// and `${` into a path, and a policy would read them as wildcards and variables. Any other `$` stays, such
/// as that of an HTTP API's stage `$default`.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
fn literal(arn: &str) -> String {
    let mut literal = String::with_capacity(arn.len());
    let mut characters = arn.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' | '?' => literal.extend(['$', '{', character, '}']),
            '$' if characters.peek() == Some(&'{') => literal.push_str("${$}"),
            _ => literal.push(character),
        }
    }
    literal
}

#[cfg(test)]
mod tests {
    use lambda_runtime::Context;
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;

    const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc/Prod/GET/hello";

    /// The answer to `event` of an authorizer that allows every request, or denies every request.
    async fn answer_to(event: Value, is_authorized: bool) -> Result<Value, String> {
        let event = Event::new(to_raw_value(&event).unwrap(), Context::default());
        let decide = |_| async move {
            let context = json!({"reason": "expired"});
            let principal_id = "jti-1".to_owned();
            Ok(if is_authorized { Decision::Allow { principal_id, context } } else { Decision::Deny { context } })
        };
        let answer = authorize(event, decide).await.map_err(|err| err.to_string())?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    #[tokio::test]
    async fn a59_the_policy_names_the_called_method_and_nothing_else() {
        let event = json!({"type": "REQUEST", "methodArn": ARN, "requestContext": {"requestId": "1"}});
        for (is_authorized, effect, principal_id) in [(true, "Allow", "jti-1"), (false, "Deny", "refused")] {
            let expected = json!({
                "principalId": principal_id,
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": ARN}],
                },
                "context": {"reason": "expired"},
            });
            assert_eq!(answer_to(event.clone(), is_authorized).await, Ok(expected));
        }
    }

    #[tokio::test]
    async fn payload_2_0_has_a_simple_response() {
        let event = json!({"version": "2.0", "type": "REQUEST", "requestContext": {"requestId": "1"}});
        for is_authorized in [true, false] {
            let expected = json!({"isAuthorized": is_authorized, "context": {"reason": "expired"}});
            assert_eq!(answer_to(event.clone(), is_authorized).await, Ok(expected));
        }
    }

    #[tokio::test]
    async fn an_event_of_another_kind_is_an_error_that_quotes_nothing() {
        for (event, expected) in [
            (json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": "canary"}), "type is not REQUEST"),
            (json!({"methodArn": ARN, "requestContext": {"requestId": "1"}}), "type is not REQUEST"),
            (json!({"type": "REQUEST", "requestContext": {"requestId": "1"}}), "no methodArn"),
            (json!({"type": "REQUEST", "methodArn": "", "requestContext": {"requestId": "1"}}), "no methodArn"),
            (json!({"type": "REQUEST", "methodArn": ARN}), "no requestContext.requestId"),
            (json!({"type": "REQUEST", "methodArn": ARN, "headers": "canary"}), "not a valid API Gateway event"),
        ] {
            let error = answer_to(event, true).await.unwrap_err();
            assert!(error.contains(expected) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a60_a_path_that_looks_like_a_pattern_matches_only_itself() {
        assert_eq!(literal("a/*/b?c=${d}%2F"), "a/${*}/b${?}c=${$}{d}%2F");
        assert_eq!(literal("abc/$default/GET/$$x$"), "abc/$default/GET/$$x$");
        assert_eq!(literal("$${a}"), "$${$}{a}");
    }

    #[test]
    fn debug_shows_no_token() {
        let context = json!({"accessToken": "eyJ"});
        let answer = answer(Decision::Allow { principal_id: String::new(), context }, None);
        assert_eq!(format!("{answer:?}"), "Answer(..)");
    }
}
