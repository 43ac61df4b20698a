//! The API of a deployment of the shop as its clients see it, over HTTP.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `SHOP_API_URL` | the URL of the API with its stage, without a slash at the end |
//! | `SHOP_SITE_URL` | the parameter `SiteUrl` of the deployment |
//! | `SHOP_SIGN_IN_URL`, `SHOP_CLIENT_ID` | the outputs `SignInUrl` and `ClientId` of the deployment |
//! | `SHOP_ADMIN_PASSWORD`, `SHOP_EMPLOYEE_PASSWORD` | the passwords that `seed/staff.py` has generated |
//!
//! People sign in on the pages of an emulator; those of AWS have another form.
//!
//! The tests buy a few of each product of the seed, which must be in stock.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod api;
mod for_staff;
mod gateway;
mod orders;
mod people;
mod products;
mod reports;
mod session;
