//! The pages.

use apigw::rfc3339;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tokens::Timestamp;

use super::chart;
use crate::{DAYS, LOW_STOCK, NEWEST, OrderFigures, ProductFigures, Sale, covered_since};

const STYLE: &str = include_str!("page.css");

/// No script, no request, no form: whatever a page contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The report of the orders at the time `at`.
#[must_use]
pub fn orders(figures: &OrderFigures, at: Timestamp) -> String {
    let average = figures.average.map_or_else(|| "–".to_owned(), |average| average.to_string());
    let body = html! {
        (tiles(&[
            ("Revenue", &figures.revenue.to_string()),
            ("Average order", &average),
            ("Cookies sold", &figures.cookies.to_string()),
            ("Confirmed", &figures.confirmed.to_string()),
            ("Rejected", &figures.rejected.to_string()),
            ("Pending", &figures.pending.to_string()),
        ]))
        @if figures.newest.is_empty() {
            section { p { "There were no orders in these days." } }
        } @else {
            (revenue(figures))
            (best_sellers(figures))
            (newest(figures))
        }
    };
    page("Orders", at, &body)
}

/// The report of the products at the time `at`.
#[must_use]
pub fn products(figures: &ProductFigures, at: Timestamp) -> String {
    let body = html! {
        (tiles(&[
            ("Products", &figures.shelf.len().to_string()),
            ("Cookies in stock", &figures.stock.to_string()),
            ("Worth of the stock", &figures.worth.to_string()),
            ("Low", &figures.low.to_string()),
        ]))
        @if figures.shelf.is_empty() {
            section { p { "There are no products." } }
        } @else {
            (stock(figures))
            (shelf(figures))
        }
    };
    page("Products", at, &body)
}

/// A page.
fn page(title: &str, at: Timestamp, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) ", " (day(at)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p .dim {
                        "As of " (time(at)) ", with the sales since " (day(covered_since(at))) " (" (DAYS)
                        " days, by UTC). Amounts are in US dollars."
                    }
                }
                main { (body) }
            }
        }
    };
    page.into_string()
}

/// Figures at a glance.
fn tiles(figures: &[(&str, &str)]) -> Markup {
    html! {
        dl .tiles { @for (name, value) in figures { div { dt { (name) } dd { (value) } } } }
    }
}

/// The revenue of each day.
fn revenue(figures: &OrderFigures) -> Markup {
    let columns: Vec<_> =
        figures.days.iter().map(|(first, revenue)| (format!("{}: {revenue}", day(*first)), revenue.0)).collect();
    let last = figures.days.len().saturating_sub(1);
    html! {
        section {
            h2 { "Revenue a day" }
            figure {
                (chart::columns("Revenue of each day, in US dollars", &columns))
                div .ends { @for (place, (first, _)) in figures.days.iter().enumerate() {
                    @if place == 0 || place == last { span { (day(*first)) } }
                } }
                ol .days { @for (first, revenue) in &figures.days {
                    li .none[revenue.0 == 0] { span { (day(*first)) } span { (revenue) } }
                } }
            }
        }
    }
}

/// The products that were sold most.
fn best_sellers(figures: &OrderFigures) -> Markup {
    let max = figures.best_sellers.first().map(|seller| seller.sold).unwrap_or_default();
    html! {
        section {
            h2 { "Best sellers" }
            @if figures.best_sellers.is_empty() {
                p { "Nothing was sold in these days." }
            } @else {
                figure { ol .bars { @for seller in &figures.best_sellers {
                    li {
                        span { (seller.product_name) }
                        (chart::bar(&format!("{}: {} sold", seller.product_name, seller.sold), seller.sold, max))
                        span { (seller.sold) " for " (seller.revenue) }
                    }
                } } }
            }
        }
    }
}

/// The newest orders.
fn newest(figures: &OrderFigures) -> Markup {
    let all = figures.pending + figures.confirmed + figures.rejected;
    html! {
        section {
            h2 #newest { "Newest orders" }
            @if all > NEWEST { p .dim { "The newest " (NEWEST) " of " (all) "." } }
            div .card.scroll tabindex="0" role="region" aria-labelledby="newest" {
                table {
                    thead { tr {
                        th { "Time (UTC)" } th { "Status" } th .number { "Total" } th { "Cookies" } th { "Number" }
                    } }
                    tbody { @for sale in &figures.newest { (order(sale)) } }
                }
            }
        }
    }
}

/// The row of an order.
fn order(sale: &Sale) -> Markup {
    html! {
        tr {
            td .whole { (minute(sale.placed_at)) }
            td .(sale.status.as_str()) { (sale.status.as_str()) }
            td .number { (sale.total()) }
            td .wide { @for (place, line) in sale.items.iter().enumerate() {
                @if place > 0 { ", " }
                (line.quantity) " × " (line.product_name)
            } }
            td .id { (sale.id) }
        }
    }
}

/// The stock of each product.
fn stock(figures: &ProductFigures) -> Markup {
    let max = figures.shelf.iter().map(|of| of.product.inventory_count).max().unwrap_or_default();
    html! {
        section {
            h2 { "Stock" }
            figure { ol .bars { @for of in &figures.shelf {
                @let (name, stock) = (&of.product.product_name, of.product.inventory_count);
                li {
                    span { (name) }
                    (chart::bar(&format!("{name}: {stock} in stock"), stock, max))
                    span .low[of.is_low] { (stock) @if of.is_low { ", low" } }
                }
            } } }
        }
    }
}

/// The products, one by one.
fn shelf(figures: &ProductFigures) -> Markup {
    html! {
        section {
            h2 #shelf { "Products" }
            p .dim {
                "Sold and revenue are of the " (DAYS) " days. Days left is how long the stock lasts at the rate of these days. "
                "Low is less than " (LOW_STOCK) "."
            }
            div .card.scroll tabindex="0" role="region" aria-labelledby="shelf" {
                table {
                    thead { tr {
                        th { "Product" } th .number { "Price" } th .number { "Stock" } th .number { "Worth" }
                        th .number { "Sold" } th .number { "Revenue" } th .number { "Days left" }
                    } }
                    tbody { @for of in &figures.shelf {
                        tr {
                            td .wide { (of.product.product_name) }
                            td .number { (of.product.price) }
                            td .number.low[of.is_low] { (of.product.inventory_count) }
                            td .number { (of.worth) }
                            td .number { (of.sold) }
                            td .number { (of.revenue) }
                            td .number { @if let Some(days) = of.days_left { (days) } @else { "–" } }
                        }
                    } }
                }
            }
        }
    }
}

/// The day of a time, such as 2023-11-14.
fn day(at: Timestamp) -> String {
    rfc3339(at.0).chars().take(10).collect()
}

/// The minute of a time, such as 2023-11-14 22:13.
fn minute(at: Timestamp) -> String {
    rfc3339(at.0).chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// A time, for people and for programs.
fn time(at: Timestamp) -> Markup {
    html! { time datetime=(rfc3339(at.0)) { (minute(at)) " UTC" } }
}
