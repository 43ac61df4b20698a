//! The functions. The `Handler` of a function in the template is the name of its module.

pub mod checkout;
pub mod crud;
pub mod new_order;
pub mod orders;
pub mod products;
pub mod proxy;
pub mod report;
pub mod report_link;
pub mod reports;
pub mod session;
mod task;
pub mod update_inventory;

pub use task::{TaskError, logged};

use apigw::{ApiError, ConfigError, Request, Settings};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{InvalidMember, Role};

impl From<InvalidMember> for ApiError {
    fn from(InvalidMember(message): InvalidMember) -> Self {
        Self::invalid_request(message)
    }
}

/// The value of the path's variable `name`. It is decoded here, whether API Gateway has done so or not: no valid ID
/// or ARN has a `%`.
fn path_parameter(request: &Request, name: &str) -> Option<String> {
    let value = percent_decode_str(request.path_parameter(name)?).decode_utf8();
    Some(value.unwrap_or_default().into_owned())
}

/// A string, or a number as it is written.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Who counts as staff, on a route with the authorizer of the user pool.
#[derive(Debug)]
struct Staff {
    /// The client of the user pool that the page signs in with.
    client_id: String,
}

impl Staff {
    /// Reads `CLIENT_ID`, the client of the user pool that the page signs in with.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable.
    fn new(settings: Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { client_id: settings.text("CLIENT_ID")? })
    }

    /// The role of the person who is signed in.
    ///
    /// # Errors
    ///
    /// 500 if the route has no such authorizer, so that it is not open to everyone then. 401 if the token is not an
    /// access token of the page: the authorizer distinguishes the kinds of tokens by their scopes alone, and takes those
    /// of every client of the user pool.
    fn role(&self, request: &Request) -> Result<Role, ApiError> {
        let claims = request.authorizer.get("claims").filter(|claims| claims["sub"].is_string());
        let claims = claims.ok_or_else(|| ApiError::internal("the route has no authorizer"))?;
        if claims["token_use"] != "access" || claims["client_id"] != *self.client_id {
            return Err(ApiError::refused("unauthorized", None));
        }
        Ok(Role::of(claims["cognito:groups"].as_str().unwrap_or_default()))
    }
}
