//! What [`shop::Catalogue`] and [`shop::Orders`] promise, as a suite of tests over any store.

use std::sync::Arc;

use in_memory::InMemoryShop;
use shop::{
    Cents, Customer, Line, Order, OrderId, OrderList, Position, Product, ProductId, Replacement, Sale, Settlement,
    Status, StoredOrder, Taking,
};
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
    assert_eq!(disagreements(&*store).await, Vec::<String>::new());
}

/// The actions and states in which `store` differs from the shop in memory, in its answer or in what it holds afterwards.
pub(crate) async fn disagreements(store: &dyn TestStore) -> Vec<String> {
    let model = InMemoryShop::new();
    let mut disagreements = Vec::new();
    for status in [None, Some(Status::Pending), Some(Status::Confirmed), Some(Status::Rejected)] {
        // Three are wanted, and three were seen.
        for stock in [None, Some(2), Some(3), Some(4)] {
            for action in ["place", "confirm", "reject"] {
                let taking = taking(&product_id(&Uuid::new_v4().to_string()), 3);
                let order = order(std::slice::from_ref(&taking));
                let found = outcome(store, action, &order, &taking, status, stock).await;
                let expected = outcome(&model, action, &order, &taking, status, stock).await;
                if found != expected {
                    disagreements.push(format!("{action} of {status:?} with {stock:?} gives {found}, not {expected}"));
                }
            }
        }
    }
    for stock in [None, Some(2), Some(3), Some(4)] {
        for action in ["add", "add the same", "replace", "replace if seen", "remove"] {
            let id = Uuid::new_v4().to_string();
            let (found, expected) = (edit(store, action, &id, stock).await, edit(&model, action, &id, stock).await);
            if found != expected {
                disagreements.push(format!("{action} with {stock:?} gives {found}, not {expected}"));
            }
        }
    }
    disagreements
}

/// What an edit of a product answers, and what the store holds then.
async fn edit(store: &dyn TestStore, action: &str, id: &str, stock: Option<u64>) -> String {
    if let Some(stock) = stock {
        store.put_product(product(id, stock)).await;
    }
    let catalogue = store.catalogue();
    let mut edited = product(id, 9);
    edited.product_name = "Edited".into();
    let answer = match action {
        "add" => format!("{:?}", catalogue.add(&edited).await.ok()),
        "add the same" => format!("{:?}", catalogue.add(&product(id, 3)).await.ok()),
        "replace" => format!("{:?}", catalogue.replace(&edited, None).await.ok()),
        "replace if seen" => format!("{:?}", catalogue.replace(&edited, Some(3)).await.ok()),
        _ => format!("{:?}", catalogue.remove(&product_id(id)).await.ok()),
    };
    format!("{answer}, {:?}", catalogue.find(&product_id(id)).await.ok())
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

pub(crate) async fn of_eight_admins_who_saw_one_stock_one_changes_it(store: Arc<dyn TestStore>) {
    let id = given(&*store, 10).await;
    let admins = (0..8).map(|admin| {
        let (store, new) = (store.clone(), product(id.as_str(), 100 + admin));
        tokio::spawn(async move { store.catalogue().replace(&new, Some(10)).await.unwrap() })
    });
    let mut replaced = 0;
    for admin in admins.collect::<Vec<_>>() {
        match admin.await.unwrap() {
            Replacement::Replaced => replaced += 1,
            Replacement::StockChanged => {}
            Replacement::Missing => panic!("it is not missing"),
        }
    }
    assert_eq!(replaced, 1);
}

pub(crate) async fn an_order_and_an_admin_who_saw_the_stock_before_it_do_not_lose_a_cookie(store: Arc<dyn TestStore>) {
    let id = given(&*store, 10).await;
    let takings = [taking(&id, 3)];
    let order = order(&takings);
    store.orders().place(&order).await.unwrap();
    assert_eq!(confirm(&*store, &order.id, &takings).await, Settlement::Confirmed);
    // Seven are left of the ten that the admin saw, who has baked five more.
    let changed = store.catalogue().replace(&product(id.as_str(), 15), Some(10)).await.unwrap();
    assert_eq!(changed, Replacement::StockChanged);
    assert_eq!(store.catalogue().replace(&product(id.as_str(), 12), Some(7)).await.unwrap(), Replacement::Replaced);
    assert_eq!(store.stock(&id).await, Some(12));
}

pub(crate) async fn the_list_of_orders_has_each_once_newest_first_on_pages_of_any_size(store: Arc<dyn TestStore>) {
    assert_eq!(store.order_list().newest(None, 5).await.unwrap(), []);
    let mut expected = Vec::new();
    // Three in each second, and every status.
    for (number, status) in
        [Status::Pending, Status::Confirmed, Status::Rejected].into_iter().cycle().take(12).enumerate()
    {
        let placed_at = Timestamp(1_700_000_000 + number as u64 / 3);
        let order = Order { placed_at, ..order(&[taking(&product_id("1"), 2), taking(&product_id("2"), 3)]) };
        store.put_order(&order, status).await;
        expected.push(StoredOrder { order, status, reason: None });
    }
    for stored in &expected {
        let found = store.order_list().find(&stored.order.id).await.unwrap();
        assert_eq!(found.map(without_reason).as_ref(), Some(stored));
    }
    assert_eq!(store.order_list().find(&OrderId::new(Uuid::new_v4())).await.unwrap(), None);
    for limit in [1, 2, 3, 5, 12, 13] {
        let mut listed = list(store.order_list(), limit).await;
        assert!(listed.windows(2).all(|pair| pair[0].order.placed_at >= pair[1].order.placed_at), "pages of {limit}");
        listed.sort_by_key(|stored| stored.order.id.to_string());
        expected.sort_by_key(|stored| stored.order.id.to_string());
        assert_eq!(listed, expected, "pages of {limit}");
    }
}

pub(crate) async fn what_was_ordered_since_a_time_is_read_whole(store: Arc<dyn TestStore>) {
    const SINCE: Timestamp = Timestamp(1_700_000_000);

    assert_eq!(store.sales().since(SINCE).await.unwrap(), []);
    // More than the megabyte that DynamoDB reads at once: the customers are in the items, too.
    let item = |number: u32| Line {
        product_id: product_id(&number.to_string()),
        product_name: "x".repeat(2000),
        quantity: 1 + number,
        price: Cents(200),
    };
    let mut expected = Vec::new();
    for (number, status) in
        [Status::Pending, Status::Confirmed, Status::Rejected].into_iter().cycle().take(45).enumerate()
    {
        // Two before the time, one at it, and the others after it.
        let placed_at = Timestamp(SINCE.0 - 2 + number as u64);
        let order = Order { placed_at, items: (0..16).map(item).collect(), ..order(&[]) };
        store.put_order(&order, status).await;
        if placed_at >= SINCE {
            expected.push(Sale { id: order.id, status, items: order.items, placed_at });
        }
    }
    let mut found = store.sales().since(SINCE).await.unwrap();
    found.sort_by_key(|sale| sale.placed_at);
    assert_eq!(found.len(), 43);
    assert!(found == expected);
}

/// The whole list, read in pages of `limit`.
async fn list(orders: &dyn OrderList, limit: u32) -> Vec<StoredOrder> {
    let mut listed = Vec::new();
    let mut before: Option<Position> = None;
    loop {
        let page = orders.newest(before.as_ref(), limit).await.unwrap();
        assert!(page.len() <= limit as usize);
        let Some(last) = page.last() else { return listed };
        before = Some(Position::from(last));
        listed.extend(page.into_iter().map(without_reason));
    }
}

/// An order that a test wrote in some state has no reason in one store, and one in the other.
fn without_reason(stored: StoredOrder) -> StoredOrder {
    StoredOrder { reason: None, ..stored }
}
