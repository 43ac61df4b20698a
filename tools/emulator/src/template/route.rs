//! A route: a method of a resource and what answers it.

use http::header::HeaderMap;

/// A method of a resource.
#[derive(Debug)]
pub(crate) struct Route {
    /// Path of the resource, perhaps with `{name}` and `{name+}`.
    pub(crate) path: String,
    /// The line of the path.
    pub(crate) line: usize,
    /// Method in upper case, or `ANY`.
    pub(crate) method: String,
    /// Name of the authorizer that is asked first.
    pub(crate) authorizer: Option<String>,
    /// What answers.
    pub(crate) target: Target,
}

/// What answers a route.
#[derive(Debug)]
pub(crate) enum Target {
    /// The function with this logical id.
    Function(String),
    /// API Gateway itself, a CORS preflight with these headers.
    Preflight(HeaderMap),
}
