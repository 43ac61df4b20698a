//! Authorizers: REQUEST authorizers, their identity sources, and their routes.

use std::collections::BTreeMap;

use super::Fault;
use super::known::{Resource, of_type};
use super::value::Value;

/// The supported members of the `Auth` of an API. `InvokeRole` and the API key change no answer here.
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
#[derive(Debug)]
pub(crate) struct Authorizer {
    /// Logical id of its function.
    pub(crate) function: String,
    /// How long API Gateway would reuse its answer, in seconds.
    pub(crate) cache_seconds: u32,
    /// Headers without which API Gateway answers 401 by itself, in lower case.
    pub(crate) headers: Vec<String>,
    /// Query parameters without which API Gateway answers 401 by itself.
    pub(crate) query_parameters: Vec<String>,
}

/// The authorizers of the API and which of them applies by default.
#[derive(Default)]
pub(super) struct Auth {
    /// All authorizers of the template, by name.
    pub(super) authorizers: BTreeMap<String, Authorizer>,
    /// The authorizer of a route that does not name one.
    pub(super) default: Option<String>,
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
            read.authorizers.insert(name, self::authorizer(&authorizer, resources)?);
        }
        if let Some(default) = auth.get("DefaultAuthorizer")? {
            read.default = Some(read.named(&default)?);
        }
        read.guards_preflights = auth.text_of("AddDefaultAuthorizerToCorsPreflight")?.as_deref() != Some("false");
        Ok(read)
    }

    /// The authorizer of a route, from the `Auth` of its event.
    pub(super) fn of_route(&self, auth: Option<Value<'_>>) -> Result<Option<String>, Fault> {
        let Some(auth) = auth else { return Ok(self.default.clone()) };
        auth.allow_only(&["Authorizer", "InvokeRole"])?;
        match auth.get("Authorizer")? {
            None => Ok(self.default.clone()),
            Some(name) if name.text()? != "NONE" => self.named(&name).map(Some),
            Some(_) if self.default.is_some() => Ok(None),
            Some(name) => Err(name.fault("SAM refuses Authorizer: NONE where the API has no DefaultAuthorizer")),
        }
    }

    /// The authorizer of this name.
    fn named(&self, name: &Value<'_>) -> Result<String, Fault> {
        match name.text()? {
            known if self.authorizers.contains_key(&known) => Ok(known),
            iam if iam == "AWS_IAM" => Err(name.fault("the authorizer AWS_IAM is not supported")),
            unknown => Err(name.fault(format!("Authorizers has no {unknown}"))),
        }
    }
}

/// A REQUEST authorizer.
fn authorizer(authorizer: &Value<'_>, resources: &[Resource<'_>]) -> Result<Authorizer, Fault> {
    if authorizer.text_of("FunctionPayloadType")?.as_deref() != Some("REQUEST") {
        return Err(authorizer.fault("only an authorizer with FunctionPayloadType: REQUEST is supported"));
    }
    authorizer.allow_only(AUTHORIZER)?;
    let arn = authorizer.required("FunctionArn")?;
    let text = arn.text()?;
    let function =
        text.strip_suffix(".Arn").filter(|id| of_type(resources, "AWS::Serverless::Function").any(|f| f.0 == *id));
    let function =
        function.ok_or_else(|| arn.fault("FunctionArn must be !GetAtt <a function of this template>.Arn"))?;
    let mut read = Authorizer {
        function: function.to_owned(),
        cache_seconds: DEFAULT_CACHE_SECONDS,
        headers: Vec::new(),
        query_parameters: Vec::new(),
    };
    if let Some(identity) = authorizer.get("Identity")? {
        identity.allow_only(&["Headers", "QueryStrings", "ReauthorizeEvery"])?;
        let names = |key| -> Result<Vec<String>, Fault> {
            let names = identity.get(key)?.map_or(Ok(Vec::new()), |names| names.items())?;
            names.iter().map(Value::text).collect()
        };
        read.headers = names("Headers")?.iter().map(|name| name.to_lowercase()).collect();
        read.query_parameters = names("QueryStrings")?;
        if let Some(seconds) = identity.get("ReauthorizeEvery")? {
            read.cache_seconds = seconds.number()?;
            if read.cache_seconds > MAX_CACHE_SECONDS {
                return Err(seconds.fault(format!("ReauthorizeEvery is at most {MAX_CACHE_SECONDS}")));
            }
        }
    }
    if read.cache_seconds > 0 && read.headers.is_empty() && read.query_parameters.is_empty() {
        return Err(authorizer.fault(
            "SAM refuses an authorizer that is cached and has no identity source: \
             set Identity.ReauthorizeEvery: 0, or Identity.Headers",
        ));
    }
    Ok(read)
}
