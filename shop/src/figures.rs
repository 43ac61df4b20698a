//! What the reports say: figures of the last days' orders, and of the products.

use std::{cmp::Reverse, collections::BTreeMap};

use tokens::Timestamp;

use crate::{Cents, Line, OrderId, Product, ProductId, Status};

/// How many days a report covers, the present one included.
pub const DAYS: u64 = 30;

/// How many orders the report of orders lists.
pub const NEWEST: usize = 500;

/// How many products are best sellers.
pub const BEST_SELLERS: usize = 5;

/// With less than this in stock, a product is low.
pub const LOW_STOCK: u64 = 10;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// An order without its customer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sale {
    /// The ID of the order.
    pub id: OrderId,
    /// Its status.
    pub status: Status,
    /// What was ordered.
    pub items: Vec<Line>,
    /// When it was accepted.
    pub placed_at: Timestamp,
}

impl Sale {
    /// The price of the order.
    #[must_use]
    pub fn total(&self) -> Cents {
        self.items.iter().map(Line::amount).sum()
    }

    /// How many cookies were ordered.
    #[must_use]
    pub fn cookies(&self) -> u64 {
        self.items.iter().map(|line| u64::from(line.quantity)).sum()
    }
}

/// The first second that a report at `now` covers: midnight (UTC), [`DAYS`] - 1 days ago.
#[must_use]
pub const fn covered_since(now: Timestamp) -> Timestamp {
    Timestamp(now.0 - now.0 % SECONDS_PER_DAY).minus((DAYS - 1) * SECONDS_PER_DAY)
}

/// A product and what was sold of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seller {
    /// Which product.
    pub product_id: ProductId,
    /// The name that it was last sold under.
    pub product_name: String,
    /// How many were sold.
    pub sold: u64,
    /// What they brought.
    pub revenue: Cents,
}

/// The figures of the last [`DAYS`] days. Only confirmed orders count as sold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OrderFigures {
    /// How many orders are pending.
    pub pending: usize,
    /// How many were confirmed.
    pub confirmed: usize,
    /// How many were rejected.
    pub rejected: usize,
    /// What the confirmed orders brought.
    pub revenue: Cents,
    /// The revenue of a confirmed order on average, to the nearest cent.
    pub average: Option<Cents>,
    /// How many cookies were sold.
    pub cookies: u64,
    /// The revenue of each of the [`DAYS`] days, by the day's first second, the oldest first.
    pub days: Vec<(Timestamp, Cents)>,
    /// At most [`BEST_SELLERS`] products, the one sold most first.
    pub best_sellers: Vec<Seller>,
    /// At most [`NEWEST`] orders in any status, the newest first.
    pub newest: Vec<Sale>,
}

impl OrderFigures {
    /// The figures at `now`. Orders outside the days that are covered are left out.
    #[must_use]
    pub fn new(mut sales: Vec<Sale>, now: Timestamp) -> Self {
        sales.retain(|sale| is_covered(sale, now));
        sales.sort_by_key(|sale| (Reverse(sale.placed_at), sale.id.to_string()));
        let count = |status| sales.iter().filter(|sale| sale.status == status).count();
        let (pending, confirmed, rejected) =
            (count(Status::Pending), count(Status::Confirmed), count(Status::Rejected));
        let first = covered_since(now);
        let mut days: Vec<_> = (0..DAYS).map(|day| (first.plus(day * SECONDS_PER_DAY), Cents(0))).collect();
        for sale in sold(&sales) {
            let since_first = usize::try_from((sale.placed_at.0 - first.0) / SECONDS_PER_DAY);
            if let Some((_, revenue)) = since_first.ok().and_then(|day| days.get_mut(day)) {
                *revenue = [*revenue, sale.total()].into_iter().sum();
            }
        }
        let revenue = days.iter().map(|(_, revenue)| *revenue).sum::<Cents>();
        let orders = confirmed as u64;
        let mut best_sellers: Vec<_> = sellers(&sales).into_values().collect();
        best_sellers.sort_by_key(|seller| Reverse((seller.sold, seller.revenue)));
        best_sellers.truncate(BEST_SELLERS);
        let cookies = sold(&sales).map(Sale::cookies).sum();
        sales.truncate(NEWEST);
        Self {
            pending,
            confirmed,
            rejected,
            revenue,
            average: (orders > 0).then(|| Cents(revenue.0.saturating_add(orders / 2) / orders)),
            cookies,
            days,
            best_sellers,
            newest: sales,
        }
    }
}

/// A product on the shelf.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShelfFigures {
    /// The product and its stock.
    pub product: Product,
    /// What the stock would bring at the present price.
    pub worth: Cents,
    /// How many were sold.
    pub sold: u64,
    /// What they brought.
    pub revenue: Cents,
    /// For how many whole days the stock lasts if as many are sold a day as in the last [`DAYS`] days; `None` if none
    /// was sold.
    pub days_left: Option<u64>,
    /// Whether there is less than [`LOW_STOCK`] of it.
    pub is_low: bool,
}

/// The figures of the products, with what was sold of each in the last [`DAYS`] days.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProductFigures {
    /// The products, in the order of the catalogue.
    pub shelf: Vec<ShelfFigures>,
    /// How many cookies are in stock.
    pub stock: u64,
    /// What the whole stock would bring.
    pub worth: Cents,
    /// How many products are low.
    pub low: usize,
}

impl ProductFigures {
    /// The figures at `now`. Orders outside the days that are covered are left out, and so is what was sold of products
    /// that are no longer on the shelf.
    #[must_use]
    pub fn new(products: Vec<Product>, mut sales: Vec<Sale>, now: Timestamp) -> Self {
        sales.retain(|sale| is_covered(sale, now));
        let sellers = sellers(&sales);
        let figures = |product: Product| {
            let seller = sellers.get(&product.id);
            let (sold, revenue) = seller.map(|seller| (seller.sold, seller.revenue)).unwrap_or_default();
            let stock = product.inventory_count;
            ShelfFigures {
                worth: Cents(product.price.0.saturating_mul(stock)),
                sold,
                revenue,
                days_left: stock.saturating_mul(DAYS).checked_div(sold),
                is_low: stock < LOW_STOCK,
                product,
            }
        };
        let shelf: Vec<_> = products.into_iter().map(figures).collect();
        Self {
            stock: shelf.iter().fold(0, |sum, of| sum.saturating_add(of.product.inventory_count)),
            worth: shelf.iter().map(|of| of.worth).sum(),
            low: shelf.iter().filter(|of| of.is_low).count(),
            shelf,
        }
    }
}

/// Whether a report at `now` covers an order.
fn is_covered(sale: &Sale, now: Timestamp) -> bool {
    (covered_since(now)..=now).contains(&sale.placed_at)
}

/// The orders that were confirmed.
fn sold(sales: &[Sale]) -> impl Iterator<Item = &Sale> {
    sales.iter().filter(|sale| sale.status == Status::Confirmed)
}

/// What was sold of each product. `sales` has the newest first.
fn sellers(sales: &[Sale]) -> BTreeMap<ProductId, Seller> {
    let mut sellers = BTreeMap::new();
    for line in sold(sales).flat_map(|sale| &sale.items) {
        let seller = sellers.entry(line.product_id.clone()).or_insert_with(|| Seller {
            product_id: line.product_id.clone(),
            product_name: line.product_name.clone(),
            sold: 0,
            revenue: Cents(0),
        });
        seller.sold += u64::from(line.quantity);
        seller.revenue = [seller.revenue, line.amount()].into_iter().sum();
    }
    sellers
}
