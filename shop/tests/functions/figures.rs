//! The figures of the reports: counted by hand, and the rules that they keep for any orders.

use proptest::{collection::vec, prelude::*};
use shop::{
    BEST_SELLERS, Cents, DAYS, Line, NEWEST, OrderFigures, OrderId, Product, ProductFigures, ProductId, Sale, Status,
    covered_since,
};
use tokens::Timestamp;
use uuid::Uuid;

use crate::helpers::{NOW, product, product_id};

const DAY: u64 = 86_400;

/// A sale of so many of each product at a price in cents.
fn sale(id: u128, status: Status, placed_at: Timestamp, lines: &[(&str, u32, u64)]) -> Sale {
    let line = |(id, quantity, price): &(&str, u32, u64)| Line {
        product_id: product_id(id),
        product_name: format!("Cookie {id}"),
        quantity: *quantity,
        price: Cents(*price),
    };
    let items = lines.iter().map(line).collect();
    Sale { id: OrderId::new(Uuid::from_u128(id)), status, items, placed_at }
}

/// Five orders: two confirmed today, one confirmed on the first day, one rejected, one pending.
fn sales() -> Vec<Sale> {
    vec![
        sale(1, Status::Confirmed, covered_since(NOW), &[("1", 4, 150)]),
        sale(2, Status::Confirmed, NOW.minus(60), &[("1", 3, 200), ("2", 1, 301)]),
        sale(3, Status::Rejected, NOW.minus(50), &[("2", 90, 350)]),
        sale(4, Status::Pending, NOW.minus(40), &[("1", 9, 200)]),
        sale(5, Status::Confirmed, NOW, &[("2", 10, 350)]),
    ]
}

#[test]
fn orders_are_counted_by_status_and_only_confirmed_ones_bring_revenue() {
    let figures = OrderFigures::new(sales(), NOW);
    assert_eq!((figures.pending, figures.confirmed, figures.rejected), (1, 3, 1));
    // 4 × 1.50, 3 × 2.00 + 3.01, and 10 × 3.50.
    assert_eq!((figures.revenue, figures.cookies), (Cents(600 + 901 + 3500), 18));
    // 50.01 for three orders is 16.67 each.
    assert_eq!(figures.average, Some(Cents(1667)));
}

#[test]
fn an_average_is_rounded_to_the_nearest_cent_and_is_missing_without_orders() {
    let of = |prices: &[u64]| {
        let sales = prices.iter().map(|price| sale(1, Status::Confirmed, NOW, &[("1", 1, *price)])).collect();
        OrderFigures::new(sales, NOW).average
    };
    for (prices, average) in
        [(&[1, 2][..], Some(2)), (&[1, 1, 2], Some(1)), (&[1, 2, 2], Some(2)), (&[7], Some(7)), (&[], None)]
    {
        assert_eq!(of(prices), average.map(Cents), "{prices:?}");
    }
}

#[test]
fn there_are_thirty_days_by_utc_and_each_has_its_revenue() {
    let figures = OrderFigures::new(sales(), NOW);
    assert_eq!(figures.days.len(), 30);
    // 2023-10-16 and 2023-11-14.
    assert_eq!(figures.days[0], (Timestamp(1_697_414_400), Cents(600)));
    assert_eq!(figures.days[29], (Timestamp(1_699_920_000), Cents(901 + 3500)));
    assert!(figures.days[1..29].iter().all(|(_, revenue)| *revenue == Cents(0)));
    let midnight = Timestamp(1_699_920_000);
    for (placed_at, day) in [(midnight.minus(1), 28), (midnight, 29), (midnight.minus(DAY), 28)] {
        let figures = OrderFigures::new(vec![sale(1, Status::Confirmed, placed_at, &[("1", 1, 5)])], NOW);
        assert_eq!(figures.days.iter().position(|(_, revenue)| revenue.0 > 0), Some(day));
    }
}

#[test]
fn the_best_sellers_are_those_of_which_most_were_sold() {
    let figures = OrderFigures::new(sales(), NOW);
    let best: Vec<_> =
        figures.best_sellers.iter().map(|seller| (seller.product_id.as_str(), seller.sold, seller.revenue.0)).collect();
    assert_eq!(best, [("2", 11, 3801), ("1", 7, 1200)]);

    let many = |id: &str, quantity| sale(1, Status::Confirmed, NOW, &[(id, quantity, 100)]);
    let sales = ["a", "b", "c", "d", "e", "f"].into_iter().zip(1..).map(|(id, quantity)| many(id, quantity)).collect();
    let figures = OrderFigures::new(sales, NOW);
    let best: Vec<_> = figures.best_sellers.iter().map(|seller| seller.product_id.as_str()).collect();
    assert_eq!(best, ["f", "e", "d", "c", "b"]);
}

#[test]
fn a_best_seller_has_the_name_that_it_was_last_sold_under() {
    let mut old = sale(1, Status::Confirmed, NOW.minus(9), &[("1", 1, 100)]);
    old.items[0].product_name = "Old".into();
    let figures = OrderFigures::new(vec![old, sale(2, Status::Confirmed, NOW, &[("1", 1, 100)])], NOW);
    assert_eq!(figures.best_sellers[0].product_name, "Cookie 1");
}

#[test]
fn the_newest_500_orders_are_listed_the_newest_first() {
    let sales = (0..501).map(|age| sale(age.into(), Status::Pending, NOW.minus(age), &[("1", 1, 1)]));
    let figures = OrderFigures::new(sales.rev().collect(), NOW);
    assert_eq!((figures.pending, figures.newest.len()), (501, 500));
    let times: Vec<_> = figures.newest.iter().map(|sale| sale.placed_at).collect();
    assert_eq!((times[0], times[499]), (NOW, NOW.minus(499)));
    assert!(times.is_sorted_by(|one, other| one > other));
}

#[test]
fn a_product_has_its_worth_its_sales_and_the_days_that_its_stock_lasts() {
    let of = |inventory_count, id: &str, price| Product { inventory_count, ..product(id, price) };
    let products = vec![of(9, "1", 200), of(10, "2", 350), of(0, "3", 100), of(5, "4", 400)];
    let figures = ProductFigures::new(products, sales(), NOW);
    let rows: Vec<_> = figures
        .shelf
        .iter()
        .map(|of| (of.product.id.as_str(), of.worth.0, of.sold, of.revenue.0, of.days_left, of.is_low))
        .collect();
    // 9 cookies last 38 days when 7 are sold in 30, and 10 last 27 when 11 are.
    let expected = [
        ("1", 1800, 7, 1200, Some(38), true),
        ("2", 3500, 11, 3801, Some(27), false),
        ("3", 0, 0, 0, None, true),
        ("4", 2000, 0, 0, None, true),
    ];
    assert_eq!(rows, expected);
    assert_eq!((figures.stock, figures.worth, figures.low), (24, Cents(7300), 3));
}

/// Orders around the days that a report covers.
fn any_sales() -> impl Strategy<Value = Vec<Sale>> {
    let status = prop_oneof![Just(Status::Pending), Just(Status::Confirmed), Just(Status::Rejected)];
    let lines = vec(("[1-8]", 1..=99_u32, 1..=9_999_999_u64), 1..4);
    let sale = (any::<u128>(), status, 0..40 * DAY, lines);
    vec(sale, 0..40).prop_map(|sales| {
        let sale = |(id, status, age, lines): (u128, Status, u64, Vec<(String, u32, u64)>)| {
            let lines: Vec<_> = lines.iter().map(|(id, quantity, price)| (id.as_str(), *quantity, *price)).collect();
            self::sale(id, status, NOW.plus(2 * DAY).minus(age), &lines)
        };
        sales.into_iter().map(sale).collect()
    })
}

proptest! {
    #[test]
    fn the_figures_of_any_orders_agree_with_each_other(sales in any_sales(), now in NOW.0..NOW.0 + DAY) {
        let now = Timestamp(now);
        let products: Vec<_> = (1..=8).map(|id| product(&id.to_string(), 100)).collect();
        let (orders, shelf) = (OrderFigures::new(sales.clone(), now), ProductFigures::new(products, sales.clone(), now));

        let covered = |sale: &&Sale| sale.placed_at >= covered_since(now) && sale.placed_at <= now;
        let all = sales.iter().filter(covered).count();
        prop_assert_eq!(orders.pending + orders.confirmed + orders.rejected, all);
        prop_assert_eq!(orders.newest.len(), all.min(NEWEST));

        // What the days brought, what the products brought and what the orders brought is one amount.
        prop_assert_eq!(orders.days.len() as u64, DAYS);
        prop_assert_eq!(orders.days.iter().map(|(_, revenue)| *revenue).sum::<Cents>(), orders.revenue);
        prop_assert_eq!(shelf.shelf.iter().map(|of| of.revenue).sum::<Cents>(), orders.revenue);
        prop_assert_eq!(shelf.shelf.iter().map(|of| of.sold).sum::<u64>(), orders.cookies);
        let confirmed: Vec<_> = sales.iter().filter(covered).filter(|sale| sale.status == Status::Confirmed).collect();
        prop_assert_eq!(confirmed.iter().map(|sale| sale.total()).sum::<Cents>(), orders.revenue);

        // The average is at most half a cent an order away from the revenue.
        if let Some(average) = orders.average {
            let orders_ = confirmed.len() as u64;
            prop_assert!((average.0 * orders_).abs_diff(orders.revenue.0) * 2 <= orders_);
        }
        // No other product was sold more than a best seller.
        let best: Vec<ProductId> = orders.best_sellers.iter().map(|seller| seller.product_id.clone()).collect();
        let least = orders.best_sellers.last().map_or(0, |seller| seller.sold);
        prop_assert!(best.len() <= BEST_SELLERS);
        for of in &shelf.shelf {
            prop_assert!(best.contains(&of.product.id) || of.sold <= least);
        }
        // The stock of 100 lasts as long as it takes to sell it at this rate.
        for of in &shelf.shelf {
            prop_assert_eq!(of.days_left, (of.sold > 0).then(|| 100 * DAYS / of.sold.max(1)));
        }
        // The order in which they come does not matter.
        let mut turned = sales;
        turned.reverse();
        prop_assert_eq!(OrderFigures::new(turned, now).days, orders.days);
    }
}
