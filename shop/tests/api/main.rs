//! The API of a deployment of the shop as its clients see it, over HTTP.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `SHOP_API_URL` | the URL of the API with its stage, without a slash at the end |
//! | `SHOP_SITE_URL` | the parameter `SiteUrl` of the deployment |
//!
//! The tests buy a few of each product of the seed, which must be in stock.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod api;
mod gateway;
mod orders;
mod products;
