//! The shop: customers order cookies, each order once.
//!
//! | question | answered in |
//! | --- | --- |
//! | what money, a product and an order are, and when an order is confirmed | `money.rs`, `product.rs`, `order.rs` |
//! | what a person who is signed in has and may do | `sign_in.rs`, `role.rs` |
//! | what the reports say, and what they look like | `figures.rs`, `report/` |
//! | what the functions need from outside | `ports.rs` |
//! | how AWS provides it | `aws/` |
//! | what each function does | `functions/` |
//!
//! The domain knows no AWS, HTTP, environment, clock or source of randomness. One binary has all functions, and the
//! `Handler` of a function in the template chooses the one that it runs (`main.rs`).

pub mod aws;
mod figures;
pub mod functions;
mod money;
mod order;
mod ports;
mod product;
pub mod report;
mod role;
mod sign_in;

pub use figures::{
    BEST_SELLERS, DAYS, LOW_STOCK, NEWEST, OrderFigures, ProductFigures, Sale, Seller, ShelfFigures, covered_since,
};
pub use money::Cents;
pub use order::{
    Accepted, Customer, InvalidMember, Line, MAX_LINES, MAX_QUANTITY, Order, OrderId, Position, PricingError,
    Settlement, Status, StoredOrder, Taking, Wanted, Wish, Write, price, settle,
};
pub use ports::{
    ApiKey, Call, Catalogue, Documents, EditableCatalogue, Execution, Executions, IdentityProvider, KeySource,
    OrderList, Orders, ProductsApi, Replacement, Reply, Sales, Start, Unavailable,
};
pub use product::{Product, ProductId};
pub use role::Role;
pub use sign_in::{PageTokens, RefreshToken};
