//! Who may call a route: REQUEST authorizers with their identity sources, and signatures of IAM.

use std::collections::BTreeMap;

use super::Fault;
use super::known::{Resource, of_type};
use super::route::Authorization;
use super::value::Value;

/// The name by which SAM knows the signatures of IAM.
const AWS_IAM: &str = "AWS_IAM";
/// The supported members of the `Auth` of an API. The API key changes no answer here.
const AUTH: &[&str] = &[
    "AddApiKeyRequiredToCorsPreflight",
    "AddDefaultAuthorizerToCorsPreflight",
    "Authorizers",
    "DefaultAuthorizer",
    "InvokeRole",
];
/// The supported members of an authorizer.
const AUTHORIZER: &[&str] =
    &["DisableFunctionDefaultPermissions", "FunctionArn", "FunctionInvokeRole", "FunctionPayloadType", "Identity"];
/// How long API Gateway reuses an answer if `ReauthorizeEvery` is not set, in seconds.
const DEFAULT_CACHE_SECONDS: u32 = 300;
/// The longest `ReauthorizeEvery` that API Gateway accepts, in seconds.
const MAX_CACHE_SECONDS: u32 = 3600;

/// A REQUEST authorizer.
#[derive(Debug, Default)]
pub(crate) struct Authorizer {
    /// Logical id of its function.
    pub(crate) function: String,
    /// How long API Gateway would reuse its answer, in seconds.
    pub(crate) cache_seconds: u32,
    /// Headers without which API Gateway answers 401 by itself, in lower case.
    pub(crate) headers: Vec<String>,
    /// Query parameters without which API Gateway answers 401 by itself.
    pub(crate) query_parameters: Vec<String>,
    /// Whether it answers with `isAuthorized` instead of a policy: only in an HTTP API.
    pub(crate) is_simple: bool,
    /// Whether API Gateway may not invoke its function: only in an HTTP API.
    pub(crate) is_forbidden: bool,
}

/// The authorizers of the API and which of them applies by default.
#[derive(Default)]
pub(super) struct Auth {
    /// All authorizers of the template, by name.
    pub(super) authorizers: BTreeMap<String, Authorizer>,
    /// Who may call a route that does not say so.
    pub(super) default: Authorization,
    /// The `InvokeRole` of a route that has none.
    invoke_role: Option<String>,
    /// Whether SAM would add the default authorizer to the preflights too.
    pub(super) guards_preflights: bool,
}

impl Auth {
    /// Reads the property `Auth` of an API.
    pub(super) fn read(auth: Option<Value<'_>>, resources: &[Resource<'_>]) -> Result<Self, Fault> {
        let mut read = Self::default();
        let Some(auth) = auth else { return Ok(read) };
        auth.allow_only(AUTH)?;
        let authorizers = auth.get("Authorizers")?.map_or(Ok(Vec::new()), |authorizers| authorizers.members())?;
        for (name, authorizer) in authorizers {
            if name == AWS_IAM {
                return Err(authorizer.fault("SAM refuses an authorizer of the name AWS_IAM"));
            }
            read.authorizers.insert(name, self::authorizer(&authorizer, resources)?);
        }
        if let Some(default) = auth.get("DefaultAuthorizer")? {
            read.default = read.named(&default)?;
        }
        read.invoke_role = auth.text_of("InvokeRole")?;
        read.guards_preflights = !auth.is_falsy("AddDefaultAuthorizerToCorsPreflight")?;
        Ok(read)
    }

    /// Who may call the route of an event. Adds a warning if API Gateway would not invoke its function by itself.
    pub(super) fn of_route(&self, event: &Value<'_>, warnings: &mut Vec<Fault>) -> Result<Authorization, Fault> {
        let auth = event.get("Auth")?;
        let (mut name, mut role) = (None, None);
        if let Some(auth) = &auth {
            auth.allow_only(&["Authorizer", "InvokeRole"])?;
            (name, role) = (auth.get("Authorizer")?, auth.get("InvokeRole")?);
        }
        let authorization = match &name {
            None => self.default.clone(),
            Some(name) if name.text()? != "NONE" => self.named(name)?,
            Some(_) if self.default != Authorization::Open => Authorization::Open,
            Some(name) => {
                return Err(name.fault("SAM refuses Authorizer: NONE where the API has no DefaultAuthorizer"));
            }
        };
        // SAM ignores an `InvokeRole` beside the default authorizer.
        if authorization == Authorization::Iam && (name.is_some() || role.is_none()) {
            let own = role.as_ref().map(Value::text).transpose()?;
            let invoker = match own.as_ref().or(self.invoke_role.as_ref()).map(String::as_str) {
                Some("NONE") => return Ok(authorization),
                Some("CALLER_CREDENTIALS") | None => "as the caller, who needs lambda:InvokeFunction",
                Some(_) => "with the role of InvokeRole, which needs lambda:InvokeFunction",
            };
            let place = role.as_ref().or(name.as_ref()).unwrap_or(event);
            warnings.push(place.fault(format!(
                "AWS_IAM: API Gateway would invoke the function {invoker}; \
                 set InvokeRole: NONE to prevent that (the permission is not checked here)"
            )));
        }
        Ok(authorization)
    }

    /// The authorization of this name.
    fn named(&self, name: &Value<'_>) -> Result<Authorization, Fault> {
        match name.text()? {
            iam if iam == AWS_IAM => Ok(Authorization::Iam),
            known if self.authorizers.contains_key(&known) => Ok(Authorization::Authorizer(known)),
            unknown => Err(name.fault(format!("Authorizers has no {unknown}"))),
        }
    }
}

impl Authorizer {
    /// Reads the property `Identity` of an authorizer: its identity sources, and how long an answer is reused.
    pub(super) fn read_identity(&mut self, authorizer: &Value<'_>) -> Result<(), Fault> {
        let Some(identity) = authorizer.get("Identity")? else { return Ok(()) };
        identity.allow_only(&["Headers", "QueryStrings", "ReauthorizeEvery"])?;
        let names = |key| -> Result<Vec<String>, Fault> {
            let names = identity.get(key)?.map_or(Ok(Vec::new()), |names| names.items())?;
            names.iter().map(Value::text).collect()
        };
        self.headers = names("Headers")?.iter().map(|name| name.to_lowercase()).collect();
        self.query_parameters = names("QueryStrings")?;
        if let Some(seconds) = identity.get("ReauthorizeEvery")? {
            self.cache_seconds = seconds.number()?;
            if self.cache_seconds > MAX_CACHE_SECONDS {
                return Err(seconds.fault(format!("ReauthorizeEvery is at most {MAX_CACHE_SECONDS}")));
            }
        }
        Ok(())
    }

    /// Whether it has an identity source.
    pub(super) const fn has_sources(&self) -> bool {
        !self.headers.is_empty() || !self.query_parameters.is_empty()
    }
}

/// The logical id of an authorizer's function.
pub(super) fn function(authorizer: &Value<'_>, resources: &[Resource<'_>]) -> Result<String, Fault> {
    let arn = authorizer.required("FunctionArn")?;
    let text = arn.text()?;
    let function =
        text.strip_suffix(".Arn").filter(|id| of_type(resources, "AWS::Serverless::Function").any(|f| f.0 == *id));
    function
        .map(str::to_owned)
        .ok_or_else(|| arn.fault("FunctionArn must be !GetAtt <a function of this template>.Arn"))
}

/// A REQUEST authorizer.
fn authorizer(authorizer: &Value<'_>, resources: &[Resource<'_>]) -> Result<Authorizer, Fault> {
    if authorizer.text_of("FunctionPayloadType")?.as_deref() != Some("REQUEST") {
        return Err(authorizer.fault("only an authorizer with FunctionPayloadType: REQUEST is supported"));
    }
    authorizer.allow_only(AUTHORIZER)?;
    let function = function(authorizer, resources)?;
    let mut read = Authorizer { function, cache_seconds: DEFAULT_CACHE_SECONDS, ..Authorizer::default() };
    read.read_identity(authorizer)?;
    if read.cache_seconds > 0 && !read.has_sources() {
        return Err(authorizer.fault(
            "SAM refuses an authorizer that is cached and has no identity source: \
             set Identity.ReauthorizeEvery: 0, or Identity.Headers",
        ));
    }
    Ok(read)
}
