//! What the functions need from outside.

use async_trait::async_trait;

use tokens::{Jti, Timestamp};

use crate::{
    Order, OrderId, PageTokens, Position, Product, ProductId, RefreshToken, Sale, Settlement, Status, StoredOrder,
    Taking,
};

/// A call failed with an unknown outcome: it may have taken effect or not. Unless a call says otherwise, it can be
/// repeated.
#[derive(Debug, thiserror::Error)]
#[error("the outcome is unknown")]
pub struct Unavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The products.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// All products, sorted by their IDs.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn all(&self) -> Result<Vec<Product>, Unavailable>;

    /// A product, if there is one with this ID.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn find(&self, id: &ProductId) -> Result<Option<Product>, Unavailable>;

    /// The products with these IDs, in any order and without those that do not exist, with every change that was
    /// made before this call. There are at most [`MAX_LINES`](crate::MAX_LINES) IDs, all of them different.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable>;
}

/// The products, which an admin can change.
#[async_trait]
pub trait EditableCatalogue: Catalogue {
    /// Adds a product. Returns whether this product is there then, and not another one with its ID.
    ///
    /// MUST be one atomic step. Repeated, it succeeds and changes nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn add(&self, product: &Product) -> Result<bool, Unavailable>;

    /// Replaces the product with this ID, if there is one; and if `seen` is given, only if that is its stock.
    ///
    /// MUST be one atomic step.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn replace(&self, product: &Product, seen: Option<u64>) -> Result<Replacement, Unavailable>;

    /// Removes a product, if there is one with this ID.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn remove(&self, id: &ProductId) -> Result<(), Unavailable>;
}

/// The outcome of replacing a product.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Replacement {
    /// It is replaced.
    Replaced,
    /// There is no such product.
    Missing,
    /// It has another stock than the one that was seen, and nothing was changed.
    StockChanged,
}

/// The orders, and the stock that they take.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Writes a pending order.
    ///
    /// MUST be one atomic step. Repeated, also after the order was settled, it succeeds and changes nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn place(&self, order: &Order) -> Result<(), Unavailable>;

    /// Takes the stock of a pending order and confirms it.
    ///
    /// MUST be one atomic step that happens whole or not at all, and at most once for an order, and only if there is
    /// enough of every product: stock is never negative. If it does not happen, [`settle`](crate::settle) says why.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn confirm(&self, id: &OrderId, takings: &[Taking]) -> Result<Settlement, Unavailable>;

    /// Rejects an order that is still pending, because it is out of stock. Returns the status that the order has then;
    /// `None` if there is no such order.
    ///
    /// MUST be one atomic step.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn reject(&self, id: &OrderId) -> Result<Option<Status>, Unavailable>;
}

/// The orders, for those who read them.
#[async_trait]
pub trait OrderList: Send + Sync {
    /// The newest orders that come after `before` in the list, newest first, at most `limit` of them.
    ///
    /// Called again with the [`Position`] of the last one, it continues the list, in which every order comes once. An
    /// order of the last moment may be missing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn newest(&self, before: Option<&Position>, limit: u32) -> Result<Vec<StoredOrder>, Unavailable>;

    /// The order with this ID, with every change that was made before this call.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn find(&self, id: &OrderId) -> Result<Option<StoredOrder>, Unavailable>;
}

/// What was ordered. Who has ordered it is not read.
#[async_trait]
pub trait Sales: Send + Sync {
    /// The orders that were placed at `since` or later, in any order. Those of the last second may be missing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn since(&self, since: Timestamp) -> Result<Vec<Sale>, Unavailable>;
}

/// The files of reports, each named by the ID of the token that opens it once.
#[async_trait]
pub trait Documents: Send + Sync {
    /// Writes a report, which is a page of HTML.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn put(&self, id: &Jti, html: String) -> Result<(), Unavailable>;

    /// A URL at which a browser finds the report for so many seconds, without signing in. Whether there is such a report
    /// is not looked at.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn url(&self, id: &Jti, seconds: u32) -> Result<String, Unavailable>;
}

/// The outcome of starting an execution.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// It has begun, now or by an earlier call with the same input.
    Started,
    /// There is one of that name, with this input or another.
    Exists,
}

/// The state of an execution.
#[derive(Clone, Eq, PartialEq)]
pub struct Execution {
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: String,
    /// What it was started with.
    pub input: String,
    /// What it ended with, if it has succeeded.
    pub output: Option<String>,
    /// The name of the error that it failed with.
    pub error: Option<String>,
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The input names a person, and the output the files of reports.
        f.debug_struct("Execution").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The executions of a state machine. That of an order has the order's ID as its name, and that of a report a new ID.
#[async_trait]
pub trait Executions: Send + Sync {
    /// The ARN of an execution, whether it exists or not.
    fn arn(&self, id: &Jti) -> String;

    /// Starts an execution.
    ///
    /// MUST start at most one of a name, whatever the input.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn start(&self, id: &Jti, input: String) -> Result<Start, Unavailable>;

    /// An execution. One that has just been started may not be found yet.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn find(&self, id: &Jti) -> Result<Option<Execution>, Unavailable>;
}

/// Where staff sign in, and where their tokens come from.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Exchanges the code of a sign-in; `None` if it refuses the code or its verifier, or if the code was exchanged
    /// before: this call cannot be repeated.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn exchange(&self, code: &str, verifier: &str) -> Result<Option<(PageTokens, RefreshToken)>, Unavailable>;

    /// New tokens of the person with this refresh token; `None` if it refuses the refresh token.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn refresh(&self, token: &RefreshToken) -> Result<Option<PageTokens>, Unavailable>;

    /// Ends a refresh token. The access tokens that came from it stay valid for the API until they expire.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn revoke(&self, token: &RefreshToken) -> Result<(), Unavailable>;
}

/// The key of the API of products.
#[derive(Clone, Eq, PartialEq)]
pub struct ApiKey(pub String);

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// Where the key of the API of products is kept.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// Reads the key.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    async fn read(&self) -> Result<ApiKey, Unavailable>;
}

/// A call of the API of products.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The ID in the path; `None` for the path of all products.
    pub id: Option<ProductId>,
    /// The body, which may be empty.
    pub body: Vec<u8>,
}

/// A reply of the API of products.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// The body, which may be empty.
    pub body: String,
}

/// The API of products.
#[async_trait]
pub trait ProductsApi: Send + Sync {
    /// Calls it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if there is no complete reply.
    async fn call(&self, key: &ApiKey, call: &Call) -> Result<Reply, Unavailable>;
}
