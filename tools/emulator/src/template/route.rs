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
    /// Who may call it.
    pub(crate) authorization: Authorization,
    /// What answers requests.
    pub(crate) target: Target,
}

/// Who may call a route.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Authorization {
    /// Everyone.
    #[default]
    Open,
    /// A caller that signs the request with its access key: `AWS_IAM`.
    Iam,
    /// A caller that the authorizer of this name allows.
    Authorizer(String),
}

/// What answers a route.
#[derive(Debug)]
pub(crate) enum Target {
    /// The function with this logical id.
    Function(String),
    /// API Gateway itself, with a CORS preflight that has these headers.
    Preflight(HeaderMap),
}
