//! Reads an order from a request.

use apigw::{ApiError, Request, X_ACCESS_TOKEN};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Value, value::RawValue};
use tokens::Token;

use super::super::text;
use crate::{Cents, Customer, InvalidMember, ProductId, Wanted, Wish};

/// The body of `POST /orders`. Members that are not here are ignored; one that is there twice is refused.
#[derive(Deserialize)]
struct OrderRequest {
    #[serde(rename = "personalInfo")]
    personal_info: Object<PersonalInfo>,
    customerproduct: Object<CustomerProduct>,
}

#[derive(Deserialize)]
struct PersonalInfo {
    #[serde(default)]
    customer_name: Value,
    #[serde(default)]
    email: Value,
    #[serde(default)]
    phone: Value,
}

#[derive(Deserialize)]
struct CustomerProduct {
    #[serde(rename = "productsToSubmit")]
    products_to_submit: Vec<Object<LineRequest>>,
}

#[derive(Deserialize)]
struct LineRequest {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    quantity: Value,
    /// The price that the customer was shown.
    price: Option<Value>,
}

/// A `T` that is written as an object. Serde would also accept an array of its fields in order.
struct Object<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return Err(D::Error::custom("not an object"));
        }
        serde_json::from_str(raw.get()).map(Self).map_err(D::Error::custom)
    }
}

/// What the customer asks for.
pub(super) fn wish(request: &Request) -> Result<Wish, ApiError> {
    const INVALID: ApiError = ApiError::invalid_request(
        "The body is not a JSON object with an object `personalInfo` and an object `customerproduct`, which has a list \
         `productsToSubmit` of objects, each member once",
    );

    let OrderRequest { personal_info: Object(person), customerproduct: Object(products) } =
        request.json(INVALID)?.ok_or(INVALID)?;
    // What is not a string is as invalid as an empty one.
    let [name, email, phone] =
        [&person.customer_name, &person.email, &person.phone].map(|value| value.as_str().unwrap_or_default());
    let customer = Customer::new(name, email, phone)?;
    let lines = products.products_to_submit.iter().map(|Object(line)| wanted(line));
    Ok(Wish::new(customer, lines.collect::<Result<_, _>>()?)?)
}

/// A line of the request.
fn wanted(line: &LineRequest) -> Result<Wanted, InvalidMember> {
    const ID: InvalidMember = InvalidMember("`id` is not 1 to 36 letters, digits, `_` and `-`");
    const QUANTITY: InvalidMember = InvalidMember("`quantity` is not a whole number from 1 to 99 for each product");
    const PRICE: InvalidMember = InvalidMember("`price` is not a price such as 2.50");

    let product_id = text(&line.id).and_then(|id| ProductId::parse(&id)).ok_or(ID)?;
    let quantity = line.quantity.as_u64().and_then(|quantity| quantity.try_into().ok()).ok_or(QUANTITY)?;
    let price = line.price.as_ref().map(|price| text(price).and_then(|price| Cents::parse_price(&price)).ok_or(PRICE));
    Ok(Wanted { product_id, quantity, price: price.transpose()? })
}

/// The checkout token of the request, if there is one. An empty one counts as none.
///
/// Only `X-Access-Token` has it: `Authorization` has the token of a person who is signed in.
pub(super) fn token(request: &Request) -> Result<Option<Token>, ApiError> {
    request.without_token_in_query()?;
    let mut tokens = request.header_values(X_ACCESS_TOKEN).filter(|token| !token.is_empty());
    match (tokens.next(), tokens.next()) {
        (token, None) => Ok(token.map(|token| Token::new(token.to_owned()))),
        (_, Some(_)) => Err(ApiError::invalid_request("More than one X-Access-Token")),
    }
}
