//! A route: a method of a resource, and its target.

use http::header::HeaderMap;

/// A method of a resource.
#[derive(Debug)]
pub(crate) struct Route {
    /// Path of the resource, which can contain `{name}` and `{name+}`.
    pub(crate) path: String,
    /// The line of the path.
    pub(crate) line: usize,
    /// Method in upper case, or `ANY`.
    pub(crate) method: String,
    /// Name of the authorizer, if it has one.
    pub(crate) authorizer: Option<String>,
    /// What answers requests.
    pub(crate) target: Target,
}

/// What answers a route.
#[derive(Debug)]
pub(crate) enum Target {
    /// The function with this logical id.
    Function(String),
    /// API Gateway itself, with a CORS preflight that has these headers.
    Preflight(HeaderMap),
}
