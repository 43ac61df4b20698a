//! Whatever happens to orders, cookies are neither made nor lost.

use proptest::prelude::*;
use shop::{Accepted, OrderId, Status};
use tokio::runtime::Runtime;

use crate::{
    helpers::{Shop, body, product, product_id},
    steps::{new_order, update_inventory},
};

/// Something that happens in the shop. Orders are numbered in the order in which they were accepted.
#[derive(Clone, Debug)]
enum Event {
    /// A customer orders so many.
    Order(u32),
    /// The first step of an order runs, for the first time or again.
    NewOrder(usize),
    /// The second step of an order runs, for the first time or again, also before the first.
    UpdateInventory(usize),
    /// So many more are stocked.
    Stock(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (1..=9_u32).prop_map(Event::Order),
        3 => (0..8_usize).prop_map(Event::NewOrder),
        3 => (0..8_usize).prop_map(Event::UpdateInventory),
        1 => (0..5_u64).prop_map(Event::Stock),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sum_of_confirmed_quantities_and_stock_is_what_was_stocked(events in prop::collection::vec(event(), 0..60)) {
        Runtime::new().unwrap().block_on(async {
            let shop = Shop::new();
            let mut stocked = 10;
            shop.data.put_product(shop::Product { inventory_count: stocked, ..product("1", 200) });
            let mut orders: Vec<(OrderId, Accepted)> = Vec::new();
            let mut settled: Vec<(OrderId, Status)> = Vec::new();
            for event in events {
                match event {
                    Event::Order(quantity) => {
                        let (token, id) = shop.token(0).await;
                        // Twice, as after a lost reply.
                        for _ in 0..2 {
                            assert_eq!(shop.order(&token, &body(&[("1", quantity)])).await.status, 202);
                        }
                        let started = shop.executions.started();
                        orders.push((id, started.into_iter().find(|accepted| accepted.order.id == id).unwrap()));
                    }
                    Event::NewOrder(index) => {
                        if let Some((_, accepted)) = orders.get(index) {
                            new_order(&shop, accepted).await.unwrap();
                        }
                    }
                    Event::UpdateInventory(index) => {
                        if let Some((id, accepted)) = orders.get(index) {
                            let items = accepted.order.items.iter().cloned().map(Into::into).collect();
                            let placed = shop::functions::new_order::Placed { order_id: *id, items };
                            let _outcome = update_inventory(&shop, &placed).await;
                        }
                    }
                    Event::Stock(more) => {
                        stocked += more;
                        let present = shop.data.stock(&product_id("1")).unwrap();
                        shop.data.put_product(shop::Product { inventory_count: present + more, ..product("1", 200) });
                    }
                }
                let of = |id: &OrderId| shop.data.order(id);
                let confirmed: u64 = orders
                    .iter()
                    .filter_map(|(id, _)| of(id))
                    .filter(|(_, status)| *status == Status::Confirmed)
                    .map(|(order, _)| u64::from(order.items[0].quantity))
                    .sum();
                assert_eq!(confirmed + shop.data.stock(&product_id("1")).unwrap(), stocked);
                // What was settled stays as it is.
                for (id, status) in &settled {
                    assert_eq!(of(id).unwrap().1, *status);
                }
                settled = orders.iter().filter_map(|(id, _)| Some((*id, of(id)?.1))).filter(|(_, status)| *status != Status::Pending).collect();
            }
            assert_eq!(shop.executions.started().len(), orders.len());
        });
    }
}
