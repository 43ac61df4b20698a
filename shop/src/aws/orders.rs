//! The orders in DynamoDB, and the stock that they take.

use std::{collections::HashMap, fmt, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::{BuildError, SdkError},
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{
        AttributeValue, CancellationReason, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
        builders::UpdateBuilder,
    },
};

use tokens::Timestamp;

use super::{catalogue, dynamodb, unavailable};
use crate::{
    Cents, Customer, Line, Order, OrderId, Orders, ProductId, Settlement, Status, StoredOrder, Taking, Unavailable,
    Write, settle,
};

/// The condition of placing an order: a late duplicate must not reset an order that was settled since.
pub const IF_NEW: &str = "attribute_not_exists(id)";

/// The condition of confirming an order, and of rejecting it.
pub const IF_PENDING: &str = "#status = :pending";

/// Confirms an order.
pub const CONFIRM: &str = "SET #status = :confirmed";

/// The condition of taking from the stock of a product. It fails, too, if there is no such product.
pub const IF_ENOUGH: &str = "inventory_count >= :quantity";

/// Takes from the stock of a product.
pub const TAKE: &str = "SET inventory_count = inventory_count - :quantity";

/// Rejects an order.
pub const REJECT: &str = "SET #status = :rejected, reason = :out_of_stock";

/// The index of the orders by time.
pub(super) const BY_TIME: &str = "by-time";

/// The key of that index, which has one partition.
pub(super) const KIND: &str = "order";

/// What [`REJECT`] gives as the reason.
const OUT_OF_STOCK: &str = "out_of_stock";

/// The orders in a table of DynamoDB, whose key is `id`, and the stock in the table of products.
pub struct DynamoOrders {
    client: Client,
    orders_table_name: String,
    products_table_name: String,
}

/// An item that is not an order.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the attribute `{0}` of an order is missing or malformed")]
pub(super) struct UnreadableOrder(pub(super) &'static str);

impl DynamoOrders {
    /// The orders in the table `orders_table_name`, and the stock in `products_table_name`.
    #[must_use]
    pub const fn new(client: Client, orders_table_name: String, products_table_name: String) -> Self {
        Self { client, orders_table_name, products_table_name }
    }

    /// The orders of a function: the tables are named by `ORDERS_TABLE_NAME` and `PRODUCTS_TABLE_NAME`. Nothing is called
    /// yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>) -> Result<Arc<Self>, ConfigError> {
        let (orders, products) = (settings.text("ORDERS_TABLE_NAME")?, settings.text("PRODUCTS_TABLE_NAME")?);
        Ok(Arc::new(Self::new(dynamodb(settings)?, orders, products)))
    }
}

impl fmt::Debug for DynamoOrders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoOrders").field("orders_table_name", &self.orders_table_name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Orders for DynamoOrders {
    async fn place(&self, order: &Order) -> Result<(), Unavailable> {
        let put = self
            .client
            .put_item()
            .table_name(&self.orders_table_name)
            .set_item(Some(to_item(order)))
            .condition_expression(IF_NEW);
        match put.send().await.map_err(SdkError::into_service_error) {
            // If the condition failed, an earlier attempt has written it.
            Ok(_) | Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
            Err(err) => Err(unavailable(err)),
        }
    }

    async fn confirm(&self, id: &OrderId, takings: &[Taking]) -> Result<Settlement, Unavailable> {
        let order = Update::builder()
            .table_name(&self.orders_table_name)
            .set_key(Some(key(id)))
            .update_expression(CONFIRM)
            .condition_expression(IF_PENDING)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", status(Status::Pending))
            .expression_attribute_values(":confirmed", status(Status::Confirmed))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let take = |taking: &Taking| {
            Update::builder()
                .table_name(&self.products_table_name)
                .set_key(Some(catalogue::key(&taking.product_id)))
                .update_expression(TAKE)
                .condition_expression(IF_ENOUGH)
                .expression_attribute_values(":quantity", AttributeValue::N(taking.quantity.to_string()))
        };
        let updates = std::iter::once(order).chain(takings.iter().map(take)).map(UpdateBuilder::build);
        let writes = updates.map(|update| Ok(TransactWriteItem::builder().update(update?).build()));
        let writes = writes.collect::<Result<Vec<_>, BuildError>>().map_err(unavailable)?;
        let transaction = self.client.transact_write_items().set_transact_items(Some(writes));
        match transaction.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Settlement::Confirmed),
            Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                explain(cancelled.cancellation_reasons()).map_err(unavailable)
            }
            Err(TransactWriteItemsError::TransactionInProgressException(_)) => Ok(Settlement::Busy),
            Err(err) => Err(unavailable(err)),
        }
    }

    async fn reject(&self, id: &OrderId) -> Result<Option<Status>, Unavailable> {
        let update = self
            .client
            .update_item()
            .table_name(&self.orders_table_name)
            .set_key(Some(key(id)))
            .update_expression(REJECT)
            .condition_expression(IF_PENDING)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", status(Status::Pending))
            .expression_attribute_values(":rejected", status(Status::Rejected))
            .expression_attribute_values(":out_of_stock", AttributeValue::S(OUT_OF_STOCK.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Some(Status::Rejected)),
            Err(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                failed.item().map(status_of).transpose().map_err(unavailable)
            }
            Err(err) => Err(unavailable(err)),
        }
    }
}

/// Why a transaction of [`DynamoOrders::confirm`] was cancelled: `reasons` has one for each of its writes.
fn explain(reasons: &[CancellationReason]) -> Result<Settlement, UnreadableOrder> {
    let Some((order, lines)) = reasons.split_first() else { return Ok(Settlement::Busy) };
    let found = order.item().map(status_of).transpose()?;
    let lines: Vec<_> = lines.iter().map(|line| write(line, ())).collect();
    Ok(settle(write(order, found), &lines))
}

/// The outcome of a write; if its condition failed, `found` is what the table had.
fn write<T>(reason: &CancellationReason, found: T) -> Write<T> {
    match reason.code() {
        Some("None") => Write::Possible,
        Some("ConditionalCheckFailed") => Write::Refused(found),
        // A conflict, a throttle, or a code that DynamoDB adds in the future.
        _ => Write::Disturbed,
    }
}

/// The status of an order's item.
pub(super) fn status_of(item: &HashMap<String, AttributeValue>) -> Result<Status, UnreadableOrder> {
    let status = item.get("status").and_then(|value| value.as_s().ok());
    status.and_then(|status| Status::parse(status)).ok_or(UnreadableOrder("status"))
}

/// A status as the value of an attribute.
fn status(status: Status) -> AttributeValue {
    AttributeValue::S(status.as_str().to_owned())
}

/// The key of an order.
pub(super) fn key(id: &OrderId) -> HashMap<String, AttributeValue> {
    [("id".to_owned(), AttributeValue::S(id.to_string()))].into()
}

/// The item of a pending order.
fn to_item(order: &Order) -> HashMap<String, AttributeValue> {
    let number = |number: u64| AttributeValue::N(number.to_string());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let line = |line: &Line| {
        AttributeValue::M(HashMap::from([
            ("product_id".to_owned(), text(line.product_id.as_str())),
            ("product_name".to_owned(), text(&line.product_name)),
            ("quantity".to_owned(), number(line.quantity.into())),
            ("price_cents".to_owned(), number(line.price.0)),
        ]))
    };
    HashMap::from([
        ("id".to_owned(), text(&order.id.to_string())),
        ("kind".to_owned(), text(KIND)),
        ("placed_at".to_owned(), number(order.placed_at.0)),
        ("status".to_owned(), status(Status::Pending)),
        ("customer_name".to_owned(), text(&order.customer.customer_name)),
        ("email".to_owned(), text(&order.customer.email)),
        ("phone".to_owned(), text(&order.customer.phone)),
        ("items".to_owned(), AttributeValue::L(order.items.iter().map(line).collect())),
        ("total_cents".to_owned(), number(order.total().0)),
    ])
}

/// The order of an item. Its total is that of its lines.
pub(super) fn from_item(item: &HashMap<String, AttributeValue>) -> Result<StoredOrder, UnreadableOrder> {
    let customer = Customer {
        customer_name: text(item, "customer_name")?.to_owned(),
        email: text(item, "email")?.to_owned(),
        phone: text(item, "phone")?.to_owned(),
    };
    let order = Order {
        id: OrderId::parse(text(item, "id")?).ok_or(UnreadableOrder("id"))?,
        customer,
        items: lines(item)?,
        placed_at: Timestamp(number(item, "placed_at")?),
    };
    let reason = item.contains_key("reason").then(|| text(item, "reason")).transpose()?;
    Ok(StoredOrder { order, status: status_of(item)?, reason: reason.map(str::to_owned) })
}

/// The lines of an order's item.
pub(super) fn lines(item: &HashMap<String, AttributeValue>) -> Result<Vec<Line>, UnreadableOrder> {
    let line = |line: &AttributeValue| {
        let line = line.as_m().map_err(|_| UnreadableOrder("items"))?;
        Ok(Line {
            product_id: ProductId::parse(text(line, "product_id")?).ok_or(UnreadableOrder("product_id"))?,
            product_name: text(line, "product_name")?.to_owned(),
            quantity: number(line, "quantity")?.try_into().map_err(|_| UnreadableOrder("quantity"))?,
            price: Cents(number(line, "price_cents")?),
        })
    };
    let lines = item.get("items").and_then(|value| value.as_l().ok()).ok_or(UnreadableOrder("items"))?;
    lines.iter().map(line).collect()
}

/// An attribute that is a text.
pub(super) fn text<'a>(
    item: &'a HashMap<String, AttributeValue>,
    name: &'static str,
) -> Result<&'a str, UnreadableOrder> {
    let text = item.get(name).and_then(|value| value.as_s().ok());
    text.map(String::as_str).ok_or(UnreadableOrder(name))
}

/// An attribute that is a whole number, not below 0.
pub(super) fn number(item: &HashMap<String, AttributeValue>, name: &'static str) -> Result<u64, UnreadableOrder> {
    let number = item.get(name).and_then(|value| value.as_n().ok());
    number.and_then(|number| number.parse().ok()).ok_or(UnreadableOrder(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        let line = |id: &str, quantity| Line {
            product_id: ProductId::parse(id).unwrap(),
            product_name: format!("Cookie {id}"),
            quantity,
            price: Cents(250),
        };
        Order {
            id: OrderId::parse("37a159e7-f7f6-4c5f-903c-7110ada734fb").unwrap(),
            customer: Customer::new("Ada Lovelace", "ada@example.com", "+1 555 010 9999").unwrap(),
            items: vec![line("1", 3), line("2", 99)],
            placed_at: Timestamp(1_700_000_000),
        }
    }

    #[test]
    fn an_order_is_read_as_it_is_written() {
        let stored = StoredOrder { order: order(), status: Status::Pending, reason: None };
        assert_eq!(from_item(&to_item(&order())), Ok(stored));
        let mut rejected = to_item(&order());
        rejected.insert("status".to_owned(), status(Status::Rejected));
        rejected.insert("reason".to_owned(), AttributeValue::S(OUT_OF_STOCK.to_owned()));
        let stored = from_item(&rejected).unwrap();
        assert_eq!((stored.status, stored.reason.as_deref()), (Status::Rejected, Some("out_of_stock")));
    }

    #[test]
    fn an_item_that_is_malformed_is_an_error_that_names_the_attribute() {
        let read = ["id", "customer_name", "email", "phone", "items", "placed_at", "status"];
        for name in read {
            let mut item = to_item(&order());
            item.remove(name);
            assert_eq!(from_item(&item), Err(UnreadableOrder(name)));
            item.insert(name.to_owned(), AttributeValue::Bool(true));
            assert_eq!(from_item(&item), Err(UnreadableOrder(name)));
        }
        for name in ["product_id", "product_name", "quantity", "price_cents"] {
            let mut item = to_item(&order());
            let Some(AttributeValue::L(lines)) = item.get_mut("items") else { panic!("there are lines") };
            let Some(AttributeValue::M(line)) = lines.last_mut() else { panic!("a line is a map") };
            line.insert(name.to_owned(), AttributeValue::Bool(true));
            assert_eq!(from_item(&item), Err(UnreadableOrder(name)));
        }
        let mut item = to_item(&order());
        item.insert("reason".to_owned(), AttributeValue::Bool(true));
        assert_eq!(from_item(&item), Err(UnreadableOrder("reason")));
    }

    /// The reason of a write with this code, and the status that it found.
    fn reason(code: &str, status: Option<&str>) -> CancellationReason {
        let reason = CancellationReason::builder().code(code);
        let reason = match status {
            Some(status) => reason.item("status", AttributeValue::S(status.to_owned())),
            None => reason,
        };
        reason.build()
    }

    #[test]
    fn a_cancelled_transaction_is_explained_by_the_reasons_of_its_writes() {
        const REFUSED: &str = "ConditionalCheckFailed";

        let fine = || reason("None", None);
        for (reasons, expected) in [
            (vec![reason(REFUSED, Some("confirmed")), reason(REFUSED, None)], Settlement::Confirmed),
            (vec![reason(REFUSED, Some("rejected")), fine()], Settlement::Rejected),
            (vec![reason(REFUSED, None), fine()], Settlement::Missing),
            (vec![fine(), fine(), reason(REFUSED, None)], Settlement::OutOfStock),
            // The emulators never answer these.
            (vec![fine(), reason("TransactionConflict", None)], Settlement::Busy),
            (vec![reason("TransactionConflict", None), reason(REFUSED, None)], Settlement::Busy),
            (vec![fine(), reason("ThrottlingError", None)], Settlement::Busy),
            (vec![fine(), reason("ProvisionedThroughputExceeded", None)], Settlement::Busy),
            (vec![fine(), reason("SomethingNew", None)], Settlement::Busy),
            (Vec::new(), Settlement::Busy),
        ] {
            assert_eq!(explain(&reasons).unwrap(), expected, "{reasons:?}");
        }
        assert!(explain(&[reason(REFUSED, Some("paid"))]).is_err(), "a status is never guessed");
    }
}
