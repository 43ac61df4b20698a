//! `report`: a branch of the report machine, which writes one report and mints the token of its link.

use std::{fmt, sync::Arc};

use apigw::{ConfigError, Settings, parse_rfc3339, rfc3339};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokens::{Claimant, Insert, Jti, KeyStore, MAX_LIFETIME_SECONDS, MAX_REVOKED_BEFORE, Minter, NewToken, Timestamp};
use uuid::Uuid;

use super::{TaskError, task::input};
use crate::{Catalogue, Documents, OrderFigures, ProductFigures, Sales, covered_since, report};

/// The state that all invocations of the function share.
pub struct Service {
    minter: Minter,
    audience: String,
    ttl_seconds: u64,
    site_url: String,
    catalogue: Arc<dyn Catalogue>,
    sales: Arc<dyn Sales>,
    documents: Arc<dyn Documents>,
    now: fn() -> Timestamp,
}

/// What the function needs besides its settings.
#[derive(Clone)]
pub struct Ports {
    /// The key ring of the links' tokens.
    pub keys: Arc<dyn KeyStore>,
    /// The links' tokens.
    pub tokens: Arc<dyn Insert>,
    /// The products.
    pub catalogue: Arc<dyn Catalogue>,
    /// What was ordered.
    pub sales: Arc<dyn Sales>,
    /// The files of the reports.
    pub documents: Arc<dyn Documents>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

impl Service {
    /// Creates the function from its settings (`TOKEN_ISSUER`, `TOKEN_AUDIENCE`, `TOKEN_TTL_SECONDS`, `REVOKED_BEFORE`,
    /// `SITE_URL`) and its ports.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault and what it must be.
    pub fn new(settings: Settings<'_>, ports: Ports) -> Result<Self, ConfigError> {
        let Ports { keys, tokens, catalogue, sales, documents, now } = ports;
        let revoked_before = Timestamp(settings.number("REVOKED_BEFORE", 0..=MAX_REVOKED_BEFORE)?);
        Ok(Self {
            minter: Minter::new(settings.text("TOKEN_ISSUER")?, revoked_before, keys, tokens),
            audience: settings.text("TOKEN_AUDIENCE")?,
            ttl_seconds: settings.number("TOKEN_TTL_SECONDS", 1..=MAX_LIFETIME_SECONDS)?,
            site_url: settings.text("SITE_URL")?,
            catalogue,
            sales,
            documents,
            now,
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// Which report.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// That of the orders.
    Orders,
    /// That of the products.
    Products,
}

/// The input of a branch.
#[derive(Deserialize)]
struct Wanted {
    report: Kind,
    /// When the execution was started, in RFC 3339: both reports show the figures of this time.
    started_at: String,
}

/// The output of a branch. The machine passes the text on to the mail and keeps the ID.
#[derive(Serialize)]
pub struct Written {
    /// The ID of the report: the `jti` of its link's token.
    pub id: Jti,
    /// What the mail says of the report: a line, and the link in another, which contains the token.
    pub mail: String,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written").finish_non_exhaustive()
    }
}

/// Writes a report, and mints the token that opens it once.
///
/// The token's `jti` is the name of the file, so that a token opens its own report and no other. A repeated step
/// writes another file with another token; the first are never sent.
///
/// # Errors
///
/// [`TaskError`].
pub async fn handle(service: &Service, event: LambdaEvent<Box<RawValue>>) -> Result<Written, TaskError> {
    let Wanted { report, started_at } = input(&event)?;
    let started_at = parse_rfc3339(&started_at).map(Timestamp).ok_or(TaskError::Invalid)?;
    let minted_by = Claimant::of_invocation(&event.context.request_id).ok_or(TaskError::Invalid)?;
    let id = Jti::new(Uuid::new_v4());
    service.documents.put(&id, render(service, report, started_at).await?).await?;
    let (aud, ttl_seconds) = (service.audience.clone(), service.ttl_seconds);
    let new = NewToken { jti: id, aud, ttl_seconds, minted_by, host: None };
    let minted = service.minter.mint(new, (service.now)()).await;
    let minted = minted.map_err(|err| TaskError::Unavailable(err.into()))?;
    let name = match report {
        Kind::Orders => "Orders",
        Kind::Products => "Products",
    };
    let until = rfc3339(minted.expires_at.0);
    let link = format!("{}/report#{}", service.site_url, minted.token.expose());
    // The mail is these texts, one after the other.
    Ok(Written { id, mail: format!("{name}: this link opens the report once, until {until}.\n{link}\n\n") })
}

/// The HTML of a report.
async fn render(service: &Service, report: Kind, at: Timestamp) -> Result<String, TaskError> {
    let sales = service.sales.since(covered_since(at)).await?;
    Ok(match report {
        Kind::Orders => report::orders(&OrderFigures::new(sales, at), at),
        Kind::Products => report::products(&ProductFigures::new(service.catalogue.all().await?, sales, at), at),
    })
}
