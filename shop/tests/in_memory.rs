//! The shop's ports in memory, for tests.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use shop::{
    Accepted, Catalogue, Documents, EditableCatalogue, Execution, Executions, Order, OrderId, OrderList, Orders,
    Position, Product, ProductId, Replacement, Sale, Sales, Settlement, Start, Status, StoredOrder, Taking,
    Unavailable, Write, settle,
};
use tokens::{Jti, Timestamp};

/// Products and orders. It follows the contracts of [`Catalogue`], [`Orders`] and [`Sales`] under one lock.
#[derive(Debug, Default)]
pub struct InMemoryShop(Mutex<Tables>);

/// What the shop holds.
#[derive(Debug, Default)]
struct Tables {
    products: BTreeMap<ProductId, Product>,
    orders: HashMap<OrderId, (Order, Status)>,
}

impl InMemoryShop {
    /// An empty shop.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a product on sale, or replaces it.
    pub fn put_product(&self, product: Product) {
        self.tables().products.insert(product.id.clone(), product);
    }

    /// Takes a product off sale.
    pub fn remove_product(&self, id: &ProductId) {
        self.tables().products.remove(id);
    }

    /// How many of a product are in stock.
    #[must_use]
    pub fn stock(&self, id: &ProductId) -> Option<u64> {
        self.tables().products.get(id).map(|product| product.inventory_count)
    }

    /// Writes an order in any state, without the rule.
    pub fn set_order(&self, order: Order, status: Status) {
        self.tables().orders.insert(order.id, (order, status));
    }

    /// An order and its status.
    #[must_use]
    pub fn order(&self, id: &OrderId) -> Option<(Order, Status)> {
        self.tables().orders.get(id).cloned()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Catalogue for InMemoryShop {
    async fn all(&self) -> Result<Vec<Product>, Unavailable> {
        Ok(self.tables().products.values().cloned().collect())
    }

    async fn find(&self, id: &ProductId) -> Result<Option<Product>, Unavailable> {
        Ok(self.tables().products.get(id).cloned())
    }

    async fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, Unavailable> {
        let tables = self.tables();
        Ok(ids.iter().filter_map(|id| tables.products.get(id).cloned()).collect())
    }
}

#[async_trait]
impl EditableCatalogue for InMemoryShop {
    async fn add(&self, product: &Product) -> Result<bool, Unavailable> {
        let mut tables = self.tables();
        let found = tables.products.entry(product.id.clone()).or_insert_with(|| product.clone());
        Ok(found == product)
    }

    async fn replace(&self, product: &Product, seen: Option<u64>) -> Result<Replacement, Unavailable> {
        let mut tables = self.tables();
        let Some(found) = tables.products.get_mut(&product.id) else { return Ok(Replacement::Missing) };
        if seen.is_some_and(|seen| seen != found.inventory_count) {
            return Ok(Replacement::StockChanged);
        }
        product.clone_into(found);
        Ok(Replacement::Replaced)
    }

    async fn remove(&self, id: &ProductId) -> Result<(), Unavailable> {
        self.remove_product(id);
        Ok(())
    }
}

/// An order as it is kept: the only reason is that of a rejection.
fn stored((order, status): &(Order, Status)) -> StoredOrder {
    let reason = (*status == Status::Rejected).then(|| "out_of_stock".to_owned());
    StoredOrder { order: order.clone(), status: *status, reason }
}

#[async_trait]
impl OrderList for InMemoryShop {
    async fn newest(&self, before: Option<&Position>, limit: u32) -> Result<Vec<StoredOrder>, Unavailable> {
        // Those of one second are in any order that does not change.
        let key = |position: &Position| (position.placed_at.0, position.id.to_string());
        let mut orders: Vec<_> = self.tables().orders.values().map(stored).collect();
        orders.sort_by_key(|order| std::cmp::Reverse(key(&order.into())));
        orders.retain(|order| before.is_none_or(|before| key(&order.into()) < key(before)));
        orders.truncate(limit as usize);
        Ok(orders)
    }

    async fn find(&self, id: &OrderId) -> Result<Option<StoredOrder>, Unavailable> {
        Ok(self.tables().orders.get(id).map(stored))
    }
}

#[async_trait]
impl Orders for InMemoryShop {
    async fn place(&self, order: &Order) -> Result<(), Unavailable> {
        self.tables().orders.entry(order.id).or_insert_with(|| (order.clone(), Status::Pending));
        Ok(())
    }

    async fn confirm(&self, id: &OrderId, takings: &[Taking]) -> Result<Settlement, Unavailable> {
        let mut tables = self.tables();
        let order = match tables.orders.get(id).map(|(_, status)| *status) {
            Some(Status::Pending) => Write::Possible,
            other => Write::Refused(other),
        };
        let line = |taking: &Taking| {
            let stock = tables.products.get(&taking.product_id).map(|product| product.inventory_count);
            if stock.is_some_and(|stock| stock >= taking.quantity.into()) {
                Write::Possible
            } else {
                Write::Refused(())
            }
        };
        let lines: Vec<_> = takings.iter().map(line).collect();
        if order != Write::Possible || lines.contains(&Write::Refused(())) {
            return Ok(settle(order, &lines));
        }
        for Taking { product_id, quantity } in takings {
            if let Some(product) = tables.products.get_mut(product_id) {
                product.inventory_count -= u64::from(*quantity);
            }
        }
        if let Some((_, status)) = tables.orders.get_mut(id) {
            *status = Status::Confirmed;
        }
        Ok(Settlement::Confirmed)
    }

    async fn reject(&self, id: &OrderId) -> Result<Option<Status>, Unavailable> {
        let mut tables = self.tables();
        let order = tables.orders.get_mut(id);
        Ok(order.map(|(_, status)| {
            if *status == Status::Pending {
                *status = Status::Rejected;
            }
            *status
        }))
    }
}

#[async_trait]
impl Sales for InMemoryShop {
    async fn since(&self, since: Timestamp) -> Result<Vec<Sale>, Unavailable> {
        let sale = |(order, status): &(Order, Status)| Sale {
            id: order.id,
            status: *status,
            items: order.items.clone(),
            placed_at: order.placed_at,
        };
        let tables = self.tables();
        Ok(tables.orders.values().filter(|(order, _)| order.placed_at >= since).map(sale).collect())
    }
}

/// The files of reports.
#[derive(Debug, Default)]
pub struct InMemoryDocuments(Mutex<HashMap<Jti, String>>);

impl InMemoryDocuments {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A report.
    #[must_use]
    pub fn html(&self, id: &Jti) -> Option<String> {
        self.documents().get(id).cloned()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.documents().len()
    }

    fn documents(&self) -> MutexGuard<'_, HashMap<Jti, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Documents for InMemoryDocuments {
    async fn put(&self, id: &Jti, html: String) -> Result<(), Unavailable> {
        self.documents().insert(*id, html);
        Ok(())
    }

    async fn url(&self, id: &Jti, seconds: u32) -> Result<String, Unavailable> {
        Ok(format!("https://reports.example.com/{id}?seconds={seconds}"))
    }
}

/// Executions that do nothing but keep what they were started with.
#[derive(Debug, Default)]
pub struct InMemoryExecutions(Mutex<HashMap<OrderId, Execution>>);

impl InMemoryExecutions {
    /// No executions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was started, in any order.
    ///
    /// # Panics
    ///
    /// If an input is not that of an order.
    #[must_use]
    pub fn started(&self) -> Vec<Accepted> {
        let inputs = self.executions().values().map(|execution| execution.input.clone()).collect::<Vec<_>>();
        inputs.iter().map(|input| serde_json::from_str(input).expect("the input of an order")).collect()
    }

    /// Ends an execution, which has succeeded.
    pub fn succeed(&self, id: &Jti, output: &str) {
        if let Some(execution) = self.executions().get_mut(id) {
            "SUCCEEDED".clone_into(&mut execution.status);
            execution.output = Some(output.to_owned());
        }
    }

    /// Ends an execution.
    pub fn end(&self, id: &OrderId, status: &str, error: Option<&str>) {
        if let Some(execution) = self.executions().get_mut(id) {
            status.clone_into(&mut execution.status);
            execution.error = error.map(str::to_owned);
        }
    }

    fn executions(&self) -> MutexGuard<'_, HashMap<OrderId, Execution>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Executions for InMemoryExecutions {
    fn arn(&self, id: &OrderId) -> String {
        format!("arn:aws:states:us-east-1:123456789012:execution:orders:{id}")
    }

    async fn start(&self, id: &OrderId, input: String) -> Result<Start, Unavailable> {
        let mut executions = self.executions();
        if executions.contains_key(id) {
            return Ok(Start::Exists);
        }
        executions.insert(*id, Execution { status: "RUNNING".into(), input, output: None, error: None });
        Ok(Start::Started)
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Execution>, Unavailable> {
        Ok(self.executions().get(id).cloned())
    }
}
