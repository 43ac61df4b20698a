//! The stores under test, with access to what they hold.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, SharedInterceptor},
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType,
    },
};
use in_memory::InMemoryShop;
use shop::{
    EditableCatalogue, Order, OrderId, OrderList, Orders, Product, ProductId, Sales, Status,
    aws::{DynamoCatalogue, DynamoOrderList, DynamoOrders, DynamoSales, to_item},
};
use uuid::Uuid;

/// The ports over the same products and orders, with access to what a store holds.
#[async_trait]
pub(crate) trait TestStore: Send + Sync {
    fn catalogue(&self) -> &dyn EditableCatalogue;

    fn orders(&self) -> &dyn Orders;

    fn order_list(&self) -> &dyn OrderList;

    fn sales(&self) -> &dyn Sales;

    async fn put_product(&self, product: Product);

    /// Writes an order in any state, without the rule.
    async fn put_order(&self, order: &Order, status: Status);

    /// The status of an order, and the reason that is kept with it.
    async fn status(&self, id: &OrderId) -> Option<(Status, Option<String>)>;

    async fn stock(&self, id: &ProductId) -> Option<u64> {
        self.catalogue().find(id).await.unwrap().map(|product| product.inventory_count)
    }
}

/// A new shop in memory.
pub(crate) fn in_memory() -> Arc<dyn TestStore> {
    Arc::new(InMemoryShop::new())
}

/// New tables on the emulator at the URL in `variable`.
pub(crate) async fn in_dynamodb(variable: &str) -> Arc<dyn TestStore> {
    Arc::new(InTables::create(variable).await)
}

#[async_trait]
impl TestStore for InMemoryShop {
    fn catalogue(&self) -> &dyn EditableCatalogue {
        self
    }

    fn orders(&self) -> &dyn Orders {
        self
    }

    fn order_list(&self) -> &dyn OrderList {
        self
    }

    fn sales(&self) -> &dyn Sales {
        self
    }

    async fn put_product(&self, product: Product) {
        Self::put_product(self, product);
    }

    async fn put_order(&self, order: &Order, status: Status) {
        self.set_order(order.clone(), status);
    }

    async fn status(&self, id: &OrderId) -> Option<(Status, Option<String>)> {
        let (_, status) = self.order(id)?;
        Some((status, (status == Status::Rejected).then(|| "out_of_stock".to_owned())))
    }
}

/// Tables on an emulator of DynamoDB.
pub(crate) struct InTables {
    url: String,
    /// Of a client that nothing changes.
    client: Client,
    products: String,
    orders: String,
    catalogue: DynamoCatalogue,
    order_store: DynamoOrders,
    order_list: DynamoOrderList,
    sales: DynamoSales,
}

impl InTables {
    /// New tables on the emulator at the URL in `variable`.
    pub(crate) async fn create(variable: &str) -> Self {
        let url = apigw::env(variable).unwrap_or_else(|| panic!("set {variable} to the URL of the emulator"));
        let (client, id) = (client(&url, None), Uuid::new_v4());
        let [products, orders] = ["products", "orders"].map(|kind| format!("{kind}-{id}"));
        let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
        let attribute =
            |name, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
        let table = |name| {
            let create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
            create.key_schema(key("id", KeyType::Hash)).attribute_definitions(attribute("id", ScalarAttributeType::S))
        };
        table(&products).send().await.unwrap();
        let by_time = GlobalSecondaryIndex::builder()
            .index_name("by-time")
            .key_schema(key("kind", KeyType::Hash))
            .key_schema(key("placed_at", KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::All).build());
        let orders_table = table(&orders)
            .attribute_definitions(attribute("kind", ScalarAttributeType::S))
            .attribute_definitions(attribute("placed_at", ScalarAttributeType::N))
            .global_secondary_indexes(by_time.build().unwrap());
        orders_table.send().await.unwrap();
        Self::over(url, client, products, orders, None)
    }

    /// The same tables, with every request changed.
    pub(crate) fn changed(&self, interceptor: SharedInterceptor) -> Self {
        let (products, orders) = (self.products.clone(), self.orders.clone());
        Self::over(self.url.clone(), self.client.clone(), products, orders, Some(interceptor))
    }

    fn over(
        url: String,
        client: Client,
        products: String,
        orders: String,
        interceptor: Option<SharedInterceptor>,
    ) -> Self {
        let under_test = self::client(&url, interceptor);
        let catalogue = DynamoCatalogue::new(under_test.clone(), products.clone());
        let order_store = DynamoOrders::new(under_test.clone(), orders.clone(), products.clone());
        let order_list = DynamoOrderList::new(under_test.clone(), orders.clone());
        let sales = DynamoSales::new(under_test, orders.clone());
        Self { url, client, products, orders, catalogue, order_store, order_list, sales }
    }
}

fn client(url: &str, interceptor: Option<SharedInterceptor>) -> Client {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url);
    if let Some(interceptor) = interceptor {
        config.push_interceptor(interceptor);
    }
    Client::from_conf(config.build())
}

#[async_trait]
impl TestStore for InTables {
    fn catalogue(&self) -> &dyn EditableCatalogue {
        &self.catalogue
    }

    fn orders(&self) -> &dyn Orders {
        &self.order_store
    }

    fn order_list(&self) -> &dyn OrderList {
        &self.order_list
    }

    fn sales(&self) -> &dyn Sales {
        &self.sales
    }

    async fn put_product(&self, product: Product) {
        self.client.put_item().table_name(&self.products).set_item(Some(to_item(product))).send().await.unwrap();
    }

    async fn put_order(&self, order: &Order, status: Status) {
        let unchanged = DynamoOrders::new(self.client.clone(), self.orders.clone(), self.products.clone());
        unchanged.place(order).await.unwrap();
        let update = self.client.update_item().table_name(&self.orders);
        let update =
            update.key("id", AttributeValue::S(order.id.to_string())).update_expression("SET #status = :status");
        let update = update.expression_attribute_names("#status", "status");
        let status = AttributeValue::S(status.as_str().to_owned());
        update.expression_attribute_values(":status", status).send().await.unwrap();
    }

    async fn status(&self, id: &OrderId) -> Option<(Status, Option<String>)> {
        let get = self.client.get_item().table_name(&self.orders).key("id", AttributeValue::S(id.to_string()));
        let item = get.consistent_read(true).send().await.unwrap().item?;
        let text = |name: &str| item.get(name).map(|value| value.as_s().unwrap().clone());
        Some((Status::parse(&text("status").unwrap_or_default())?, text("reason")))
    }
}
