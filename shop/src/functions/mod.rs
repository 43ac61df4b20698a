//! The functions. The `Handler` of a function in the template is the name of its module.

pub mod checkout;
pub mod new_order;
pub mod products;
pub mod report;
pub mod report_link;
pub mod reports;
mod task;
pub mod update_inventory;

pub use task::TaskError;

use apigw::Request;
use percent_encoding::percent_decode_str;

/// The value of the path's variable `name`. It is decoded here, whether API Gateway has done so or not: no valid ID
/// or ARN has a `%`.
fn path_parameter(request: &Request, name: &str) -> Option<String> {
    let value = percent_decode_str(request.path_parameter(name)?).decode_utf8();
    Some(value.unwrap_or_default().into_owned())
}
