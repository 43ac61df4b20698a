//! What [`shop::Catalogue`] and [`shop::Orders`] promise, as a suite of tests over any store.

use std::sync::Arc;

use in_memory::InMemoryShop;
use shop::{Cents, Customer, Line, Order, OrderId, Product, ProductId, Settlement, Status, Taking};
use tokens::Timestamp;
use uuid::Uuid;

use crate::stores::TestStore;

pub(crate) fn product_id(id: &str) -> ProductId {
    ProductId::parse(id).unwrap()
}

fn product(id: &str, inventory_count: u64) -> Product {
    Product {
        id: product_id(id),
        product_name: format!("Cookie {id}"),
        description: "A cookie.".into(),
        price: Cents(200),
        inventory_count,
        image: "cookie.svg".into(),
    }
}

/// A new product.
async fn given(store: &dyn TestStore, inventory_count: u64) -> ProductId {
    let id = Uuid::new_v4().to_string();
    store.put_product(product(&id, inventory_count)).await;
    product_id(&id)
}

fn taking(product_id: &ProductId, quantity: u32) -> Taking {
    Taking { product_id: product_id.clone(), quantity }
}

fn order(takings: &[Taking]) -> Order {
    let line = |taking: &Taking| Line {
        product_id: taking.product_id.clone(),
        product_name: "Cookie".into(),
        quantity: taking.quantity,
        price: Cents(200),
    };
    Order {
        id: OrderId::new(Uuid::new_v4()),
        customer: Customer::new("Ada Lovelace", "ada@example.com", "+1 555 010 9999").unwrap(),
        items: takings.iter().map(line).collect(),
        placed_at: Timestamp(1_700_000_000),
    }
}

/// Confirms an order, again while the store is busy.
async fn confirm(store: &dyn TestStore, id: &OrderId, takings: &[Taking]) -> Settlement {
    for _ in 0..100 {
        match store.orders().confirm(id, takings).await.unwrap() {
            Settlement::Busy => tokio::task::yield_now().await,
            settlement => return settlement,
        }
    }
    panic!("busy for ever");
}

pub(crate) async fn products_are_listed_by_their_ids_and_found_one_by_one_and_together(store: Arc<dyn TestStore>) {
    let catalogue = store.catalogue();
    assert_eq!(catalogue.all().await.unwrap(), []);
    let products = ["1", "10", "2", "a", "B"].map(|id| product(id, 7));
    for product in &products {
        store.put_product(product.clone()).await;
    }
    let all: Vec<_> = catalogue.all().await.unwrap().into_iter().map(|product| product.id.to_string()).collect();
    assert_eq!(all, ["1", "10", "2", "B", "a"]);
    assert_eq!(catalogue.find(&product_id("10")).await.unwrap().as_ref(), Some(&products[1]));
    assert_eq!(catalogue.find(&product_id("3")).await.unwrap(), None);
    let mut found = catalogue.find_all(&["a", "3", "1"].map(product_id)).await.unwrap();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(found, [products[0].clone(), products[3].clone()]);
}

pub(crate) async fn every_state_has_the_outcome_of_the_model(store: Arc<dyn TestStore>) {
    assert_eq!(first_disagreement(&*store).await, None);
}

/// The first state in which `store` differs from the shop in memory, in its answer or in what it holds afterwards.
pub(crate) async fn first_disagreement(store: &dyn TestStore) -> Option<String> {
    let model = InMemoryShop::new();
    for status in [None, Some(Status::Pending), Some(Status::Confirmed), Some(Status::Rejected)] {
        // Three are wanted.
        for stock in [None, Some(2), Some(3), Some(4)] {
            for action in ["place", "confirm", "reject"] {
                let taking = taking(&product_id(&Uuid::new_v4().to_string()), 3);
                let order = order(std::slice::from_ref(&taking));
                let found = outcome(store, action, &order, &taking, status, stock).await;
                let expected = outcome(&model, action, &order, &taking, status, stock).await;
                if found != expected {
                    return Some(format!("{action} of {status:?} with {stock:?} gives {found}, not {expected}"));
                }
            }
        }
    }
    None
}

/// What an action answers for an order in a state, and what the store holds then.
async fn outcome(
    store: &dyn TestStore,
    action: &str,
    order: &Order,
    taking: &Taking,
    status: Option<Status>,
    stock: Option<u64>,
) -> String {
    if let Some(stock) = stock {
        store.put_product(product(taking.product_id.as_str(), stock)).await;
    }
    if let Some(status) = status {
        store.put_order(order, status).await;
    }
    let answer = match action {
        "place" => format!("{:?}", store.orders().place(order).await.is_ok()),
        "confirm" => format!("{:?}", store.orders().confirm(&order.id, std::slice::from_ref(taking)).await.ok()),
        _ => format!("{:?}", store.orders().reject(&order.id).await.ok()),
    };
    // Left as it was where the test wrote it: without a reason.
    let after = store.status(&order.id).await.map(|(after, reason)| (after, reason.filter(|_| status != Some(after))));
    // A mutant may leave a stock that is no stock.
    let stock = store.catalogue().find(&taking.product_id).await.map(|found| found.map(|found| found.inventory_count));
    format!("{answer}, {after:?}, {:?}", stock.ok())
}

pub(crate) async fn an_order_takes_its_stock_whole_or_not_at_all(store: Arc<dyn TestStore>) {
    let (plenty, few) = (given(&*store, 100).await, given(&*store, 1).await);
    let takings = [taking(&plenty, 3), taking(&few, 2)];
    let order = order(&takings);
    store.orders().place(&order).await.unwrap();
    assert_eq!(confirm(&*store, &order.id, &takings).await, Settlement::OutOfStock);
    assert_eq!((store.stock(&plenty).await, store.stock(&few).await), (Some(100), Some(1)));
    assert_eq!(store.status(&order.id).await, Some((Status::Pending, None)));

    store.put_product(product(few.as_str(), 2)).await;
    assert_eq!(confirm(&*store, &order.id, &takings).await, Settlement::Confirmed);
    assert_eq!((store.stock(&plenty).await, store.stock(&few).await), (Some(97), Some(0)));
    assert_eq!(store.status(&order.id).await, Some((Status::Confirmed, None)));
}

pub(crate) async fn of_eight_attempts_to_confirm_one_order_one_takes_the_stock(store: Arc<dyn TestStore>) {
    let product = given(&*store, 4).await;
    let takings = [taking(&product, 3)];
    let order = order(&takings);
    store.orders().place(&order).await.unwrap();
    let attempts = (0..8).map(|_| {
        let (store, takings, id) = (store.clone(), takings.clone(), order.id);
        tokio::spawn(async move { confirm(&*store, &id, &takings).await })
    });
    for attempt in attempts.collect::<Vec<_>>() {
        assert_eq!(attempt.await.unwrap(), Settlement::Confirmed);
    }
    assert_eq!(store.stock(&product).await, Some(1));
}

pub(crate) async fn of_twelve_orders_for_the_last_cookies_nine_are_confirmed(store: Arc<dyn TestStore>) {
    let product = given(&*store, 27).await;
    let buyers = (0..12).map(|_| {
        let (store, takings) = (store.clone(), [taking(&product, 3)]);
        tokio::spawn(async move {
            let order = order(&takings);
            store.orders().place(&order).await.unwrap();
            confirm(&*store, &order.id, &takings).await
        })
    });
    let mut confirmed = 0;
    for buyer in buyers.collect::<Vec<_>>() {
        match buyer.await.unwrap() {
            Settlement::Confirmed => confirmed += 1,
            settlement => assert_eq!(settlement, Settlement::OutOfStock),
        }
    }
    assert_eq!((confirmed, store.stock(&product).await), (9, Some(0)));
}
