//! Amazon API Gateway on this machine, from a SAM template.
//!
//! The template alone decides what is served: routes, authorizers, CORS, gateway responses, throttling
//! and every function's environment. The handlers behind it are given by name ([`Functions`]).
//!
//! It serves one REST API (`AWS::Serverless::Api`) or one HTTP API (`AWS::Serverless::HttpApi`), whose own steps
//! are in `http_api`. The steps of a REST API:
//!
//! | step of a request | refused with |
//! | --- | --- |
//! | read the host, the query and the body | HTTP's own 400 and 408, without a gateway response |
//! | route by path and method | `MISSING_AUTHENTICATION_TOKEN` |
//! | throttle, with `throttle` | `THROTTLED` |
//! | limit the body to 10 MB | `REQUEST_TOO_LARGE` |
//! | verify the signature, with `AWS_IAM` | `MISSING_AUTHENTICATION_TOKEN`, `INVALID_SIGNATURE` |
//! | ask the authorizer | `UNAUTHORIZED`, `ACCESS_DENIED`, `AUTHORIZER_FAILURE`, `AUTHORIZER_CONFIGURATION_ERROR` |
//! | invoke the function | `INTEGRATION_FAILURE`, `INTEGRATION_TIMEOUT` |
//!
//! Each rule has a source and a test: docs/gateway.md lists them.
//!
//! Three things differ from API Gateway on purpose: an authorizer's answer is never cached (a warning at
//! start says if API Gateway would), a client cannot choose the request id, and header names reach the
//! handlers in lower case.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::IntoResponse as _;
use http::{HeaderMap, Method};
use tokio::net::TcpListener;

pub use lambda::{Environment, Functions, Reply};
pub use template::Fault;

use account::Region;
use gateway::Gateway;
use sigv4::AccessKey;
use template::{Api, Authorization, Inputs, Kind, Route, Target};

mod account;
mod body;
mod clock;
mod event;
mod gateway;
mod gateway_response;
mod http_api;
mod integration;
mod lambda;
mod policy;
mod rest_api;
mod routes;
mod sigv4;
mod template;
mod throttle;

/// How long the requests in progress may take after the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// What to serve and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// The SAM template.
    pub template: PathBuf,
    /// Values of the template's parameters, by name, instead of their defaults.
    pub parameters: BTreeMap<String, String>,
    /// The Region, such as `eu-west-1`. Without one, `AWS::Region` is `local`, and requests are signed for `us-east-1`.
    pub region: Option<String>,
    /// Whether the template's throttling is enforced.
    pub throttle: bool,
    /// What is served besides the API.
    pub files: Vec<StaticFile>,
}

/// What a `GET` of a path returns if the template has no route there.
#[derive(Clone, Debug)]
pub struct StaticFile {
    /// The path, with its slash.
    pub path: &'static str,
    /// The headers of the response.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Options {
    /// Serves `template` with its defaults on a free port of the loopback address, without throttling.
    #[must_use]
    pub fn new(template: impl Into<PathBuf>) -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            template: template.into(),
            parameters: BTreeMap::new(),
            region: None,
            throttle: false,
            files: Vec::new(),
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The template.
        path: String,
        /// The reason.
        source: io::Error,
    },
    /// The template is wrong, or has a part that the emulator cannot serve.
    #[error("{path}:{fault}")]
    Template {
        /// The template.
        path: String,
        /// What is wrong, and in which line.
        fault: Fault,
    },
    /// The Region is malformed, or in another partition than `aws`.
    #[error("{0} cannot be the Region: a Region of the partition aws is expected, such as eu-west-1")]
    Region(String),
    /// A function does not accept its environment variables.
    #[error("{function}: {message}")]
    Configuration {
        /// Logical id of the function.
        function: String,
        /// Its error.
        message: String,
    },
    /// The address is taken or not one of this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
}

/// A server that listens but does not answer yet.
#[derive(Debug)]
pub struct Server {
    /// The socket.
    listener: TcpListener,
    /// See [`Server::url`].
    url: String,
    /// The API that answers.
    api: Arc<Gateway>,
    /// The files for which the template has no route.
    files: Vec<StaticFile>,
    /// See [`Server::summary`].
    summary: String,
    /// See [`Server::warnings`].
    warnings: Vec<String>,
}

impl Server {
    /// Reads the template, configures its functions and listens.
    ///
    /// # Errors
    ///
    /// [`StartError`], which says what to correct.
    pub async fn bind(options: Options, functions: &Functions) -> Result<Self, StartError> {
        let path = options.template.display().to_string();
        let text = std::fs::read_to_string(&options.template)
            .map_err(|source| StartError::Read { path: path.clone(), source })?;
        let in_template = |fault| StartError::Template { path: path.clone(), fault };
        let region =
            options.region.as_deref().map(|name| Region::parse(name).ok_or_else(|| StartError::Region(name.into())));
        let region = region.transpose()?.unwrap_or_default();
        let inputs = Inputs { parameters: options.parameters, region: region.clone() };
        let api = Api::read(&text, inputs).map_err(in_template)?;
        let has_default = api.routes.iter().any(|route| route.path == template::DEFAULT);
        let mut files = options.files;
        files.retain(|file| !has_default && api.table.find(file.path, "GET").is_none());
        let mut ready = BTreeMap::new();
        for (id, function) in &api.functions {
            let handler = functions.make(&function.binary, &function.environment).ok_or_else(|| {
                in_template(Fault::new(function.line, format!("no handler for the binary {}", function.binary)))
            })?;
            let handler = handler.map_err(|message| StartError::Configuration { function: id.clone(), message })?;
            let function =
                lambda::Function { id: id.clone(), region: region.clone(), handler, timeout: function.timeout };
            ready.insert(id.clone(), Arc::new(function));
        }
        let address = SocketAddr::new(options.host, options.port);
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let url = format!("http://{address}");
        let access_key = functions.access_key.as_ref();
        let summary = summarize(&api, &url, access_key, &region, options.throttle);
        let warnings = warnings(&api, &path, access_key);
        let api = Arc::new(Gateway::new(api, &ready, access_key.cloned(), &region, options.throttle));
        Ok(Self { listener, url, api, files, summary, warnings })
    }

    /// The address to call, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A summary for people: routes, throttling, how to sign with the access key, and a request to try.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Where the deployed API would differ from this server.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Answers requests until `shutdown` is ready, then waits for those in progress.
    ///
    /// # Errors
    ///
    /// None that a caller could act on: accepting a connection is retried.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let files: Arc<[StaticFile]> = self.files.into();
        let answer = |State(api): State<Arc<Gateway>>, ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| async move {
            let file = files.iter().find(|file| request.method() == Method::GET && request.uri().path() == file.path);
            match file {
                Some(file) => (file.headers.clone(), file.body.clone()).into_response(),
                None => api.serve(request, peer).await,
            }
        };
        let service = Router::new().fallback(answer).with_state(self.api);
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = axum::serve(self.listener, service.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async move {
                shutdown.await;
                drop(stopping);
            });
        tokio::select! {
            served = async { server.await } => served,
            // A client that ends neither its request nor its connection must not keep the server running.
            () = async { _ = stopped.await; tokio::time::sleep(GRACE).await } => Ok(()),
        }
    }
}

/// The routes, the throttling, the access key and a request to try.
fn summarize(api: &Api, url: &str, access_key: Option<&AccessKey>, region: &Region, throttles: bool) -> String {
    let mut text = format!("listening on {url}\n");
    let mut has_preflights = matches!(api.kind, Kind::Http { cors: Some(_) });
    for route in &api.routes {
        let Target::Function(function) = &route.target else {
            has_preflights = true;
            continue;
        };
        let authorizer = match &route.authorization {
            Authorization::Open => "no authorizer",
            Authorization::Iam => "AWS_IAM",
            Authorization::Authorizer(name) => name,
        };
        _ = writeln!(text, "  {:<7} {:<24} {authorizer} -> {function}", route.method, route.path);
    }
    if has_preflights {
        _ = writeln!(text, "  OPTIONS on every path is a CORS preflight");
    }
    if let Kind::Rest { throttling: Some(throttling), .. } = &api.kind {
        let state = if throttles { "enforced" } else { "not enforced; use --throttle to enforce it" };
        _ = writeln!(
            text,
            "throttling of each method: {} requests per second, burst {} ({state})",
            throttling.rate, throttling.burst
        );
    }
    let is_iam = |route: &&Route| route.authorization == Authorization::Iam;
    if let (Some(_), Some(key)) = (api.routes.iter().find(is_iam), access_key) {
        let scope = format!("aws:amz:{}:{}", region.of_signatures(), sigv4::SERVICE);
        _ = writeln!(text, "AWS_IAM: sign with curl --aws-sigv4 {scope} --user {}:{}", key.id, key.secret);
    }
    let mut open = api.routes.iter().filter(|route| !route.path.contains(['{', '$']) && !is_iam(route));
    if let Some(route) = open.find(|route| route.method == "GET") {
        _ = writeln!(text, "try: curl -i {url}{}", route.path);
    }
    text
}

/// Where the deployed API would differ, with the line of the template if there is one.
fn warnings(api: &Api, path: &str, access_key: Option<&AccessKey>) -> Vec<String> {
    let caching = api.authorizers.iter().filter(|(_, authorizer)| authorizer.cache_seconds > 0);
    let caching = caching.map(|(name, authorizer)| {
        format!(
            "authorizer {name}: API Gateway would reuse its answer for {} s for all requests with the same identity \
             sources; set Identity.ReauthorizeEvery: 0 to prevent that (it is never reused here)",
            authorizer.cache_seconds
        )
    });
    let has_iam = api.routes.iter().any(|route| route.authorization == Authorization::Iam);
    let no_key = (has_iam && access_key.is_none())
        .then(|| "AWS_IAM: there is no access key here, so every request is refused".to_owned());
    api.warnings.iter().map(|warning| format!("{path}:{warning}")).chain(caching).chain(no_key).collect()
}
