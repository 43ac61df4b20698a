//! The products in DynamoDB.

use std::{collections::HashMap, fmt, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::put_item::PutItemError,
    types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure},
};

use super::{dynamodb, unavailable};
use crate::{Catalogue, Cents, EditableCatalogue, Product, ProductId, Replacement, Unavailable};

/// The most calls of `BatchGetItem` for one request: DynamoDB may leave products out of an answer.
const MAX_ROUNDS: usize = 3;

/// The condition of adding a product.
const IF_NO_PRODUCT: &str = "attribute_not_exists(id)";

/// The condition of replacing a product.
pub const IF_PRODUCT: &str = "attribute_exists(id)";

/// The condition of replacing a product whose stock was seen. It fails, too, if there is no such product.
pub const IF_SEEN: &str = "inventory_count = :seen";

/// An item of the table, by attribute.
type Item = HashMap<String, AttributeValue>;

/// The products in a table of DynamoDB, whose key is `id`.
pub struct DynamoCatalogue {
    client: Client,
    table_name: String,
}

/// An item that is not a product.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the attribute `{0}` of a product is missing or malformed")]
pub struct UnreadableProduct(&'static str);

/// Products that DynamoDB leaves out of every answer.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB has not read all products")]
struct Unprocessed;

impl DynamoCatalogue {
    /// The products in the table `table_name`.
    #[must_use]
    pub const fn new(client: Client, table_name: String) -> Self {
        Self { client, table_name }
    }

    /// The products of a function: its table is named by `PRODUCTS_TABLE_NAME`. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self::new(dynamodb(settings)?, settings.text("PRODUCTS_TABLE_NAME")?)))
    }
}

impl fmt::Debug for DynamoCatalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoCatalogue").field("table_name", &self.table_name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Catalogue for DynamoCatalogue {
    async fn all(&self) -> Result<Vec<Product>, Unavailable> {
        let items = self.client.scan().table_name(&self.table_name).into_paginator().items().send();
        let items = items.collect::<Result<Vec<_>, _>>().await.map_err(|err| unavailable(err.into_service_error()))?;
        let mut products = items.iter().map(from_item).collect::<Result<Vec<_>, _>>().map_err(unavailable)?;
        products.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(products)
    }

    async fn find(&self, id: &ProductId) -> Result<Option<Product>, Unavailable> {
        let get = self.client.get_item().table_name(&self.table_name).set_key(Some(key(id))).consistent_read(true);
        let got = get.send().await.map_err(|err| unavailable(err.into_service_error()))?;
        got.item().map(from_item).transpose().map_err(unavailable)
    }

    async fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let mut keys: Vec<_> = ids.iter().map(key).collect();
        let mut products = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let get = self.client.batch_get_item().request_items(&self.table_name, wanted.map_err(unavailable)?);
            let got = get.send().await.map_err(|err| unavailable(err.into_service_error()))?;
            for item in got.responses.unwrap_or_default().into_values().flatten() {
                products.push(from_item(&item).map_err(unavailable)?);
            }
            // Under load DynamoDB answers for only a part of them.
            keys = got.unprocessed_keys.unwrap_or_default().into_values().flat_map(|left| left.keys).collect();
            if keys.is_empty() {
                return Ok(products);
            }
        }
        Err(unavailable(Unprocessed))
    }
}

#[async_trait]
impl EditableCatalogue for DynamoCatalogue {
    async fn add(&self, product: &Product) -> Result<bool, Unavailable> {
        Ok(match self.put(product, IF_NO_PRODUCT, None).await? {
            Put::Done => true,
            Put::Refused(found) => {
                found.map(|item| from_item(&item)).transpose().map_err(unavailable)?.as_ref() == Some(product)
            }
        })
    }

    async fn replace(&self, product: &Product, seen: Option<u64>) -> Result<Replacement, Unavailable> {
        let condition = if seen.is_some() { IF_SEEN } else { IF_PRODUCT };
        match self.put(product, condition, seen).await? {
            Put::Done => Ok(Replacement::Replaced),
            Put::Refused(None) => Ok(Replacement::Missing),
            Put::Refused(Some(_)) => Ok(Replacement::StockChanged),
        }
    }

    async fn remove(&self, id: &ProductId) -> Result<(), Unavailable> {
        let delete = self.client.delete_item().table_name(&self.table_name).set_key(Some(key(id))).send().await;
        delete.map(|_| ()).map_err(|err| unavailable(err.into_service_error()))
    }
}

/// The outcome of a conditional write.
enum Put {
    Done,
    /// The condition failed, for this item or for none.
    Refused(Option<Item>),
}

impl DynamoCatalogue {
    /// Writes a product if a condition holds, which may compare the stock with `seen`.
    async fn put(&self, product: &Product, condition: &str, seen: Option<u64>) -> Result<Put, Unavailable> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table_name)
            .set_item(Some(to_item(product.clone())))
            .condition_expression(condition)
            .set_expression_attribute_values(
                seen.map(|seen| [(":seen".to_owned(), AttributeValue::N(seen.to_string()))].into()),
            )
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Put::Done),
            Err(PutItemError::ConditionalCheckFailedException(failed)) => Ok(Put::Refused(failed.item)),
            Err(err) => Err(unavailable(err)),
        }
    }
}

/// The key of a product.
pub(super) fn key(id: &ProductId) -> Item {
    [("id".to_owned(), AttributeValue::S(id.to_string()))].into()
}

/// The item of a product.
#[must_use]
pub fn to_item(product: Product) -> Item {
    let Product { id, product_name, description, price, inventory_count, image } = product;
    let texts =
        [("id", id.to_string()), ("product_name", product_name), ("description", description), ("image", image)];
    let numbers = [("price_cents", price.0), ("inventory_count", inventory_count)];
    let texts = texts.into_iter().map(|(name, text)| (name.to_owned(), AttributeValue::S(text)));
    texts.chain(numbers.map(|(name, number)| (name.to_owned(), AttributeValue::N(number.to_string())))).collect()
}

/// The product of an item.
fn from_item(item: &Item) -> Result<Product, UnreadableProduct> {
    let text = |name| {
        let text = item.get(name).and_then(|value| value.as_s().ok());
        text.cloned().ok_or(UnreadableProduct(name))
    };
    let number = |name| {
        let number = item.get(name).and_then(|value| value.as_n().ok());
        number.and_then(|number| number.parse().ok()).ok_or(UnreadableProduct(name))
    };
    Ok(Product {
        id: ProductId::parse(&text("id")?).ok_or(UnreadableProduct("id"))?,
        product_name: text("product_name")?,
        description: text("description")?,
        price: Cents(number("price_cents")?),
        inventory_count: number("inventory_count")?,
        image: text("image")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> Product {
        Product {
            id: ProductId::parse("1").unwrap(),
            product_name: "Peanut Chocolate".into(),
            description: "Roasted peanuts.".into(),
            price: Cents(200),
            inventory_count: 100,
            image: "peanut-chocolate.svg".into(),
        }
    }

    #[test]
    fn a_product_is_read_as_it_is_written() {
        assert_eq!(from_item(&to_item(product())), Ok(product()));
    }

    #[test]
    fn an_item_that_is_malformed_is_an_error_that_names_the_attribute() {
        for (name, _) in to_item(product()) {
            let mut item = to_item(product());
            item.remove(&name);
            assert_eq!(from_item(&item).unwrap_err().0, name);
            item.insert(name.clone(), AttributeValue::Bool(true));
            assert_eq!(from_item(&item).unwrap_err().0, name);
        }
        for (name, number) in [("price_cents", "1.5"), ("inventory_count", "-1")] {
            let mut item = to_item(product());
            item.insert(name.to_owned(), AttributeValue::N(number.to_owned()));
            assert_eq!(from_item(&item), Err(UnreadableProduct(name)));
        }
    }
}
