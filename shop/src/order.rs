//! Orders: what a customer may order, at which price, and when an order is confirmed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokens::{Jti, Timestamp};

use crate::{Cents, Product, ProductId};

/// The most lines that an order may be sent with.
pub const MAX_LINES: usize = 20;

/// The most that an order may have of one product.
pub const MAX_QUANTITY: u32 = 99;

/// The ID of an order. It is the `jti` of the checkout token, so that a token makes at most one order.
pub type OrderId = Jti;

/// A member of a request that is not what it must be. The text names it and the values that it may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidMember(pub &'static str);

/// A customer.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Customer {
    /// The name.
    pub customer_name: String,
    /// The e-mail address.
    pub email: String,
    /// The telephone number.
    pub phone: String,
}

impl Customer {
    /// Checks what a customer has entered. The name is trimmed.
    ///
    /// # Errors
    ///
    /// [`InvalidMember`], for the first member that is not allowed.
    pub fn new(customer_name: &str, email: &str, phone: &str) -> Result<Self, InvalidMember> {
        const NAME: &str = "`customer_name` is not 1 to 100 characters, none of them a control character";
        const EMAIL: &str = "`email` is not an address of at most 254 characters with one @ and no space";
        const PHONE: &str = "`phone` is not 5 to 25 digits, spaces and + - ( ) . with at least 5 digits";

        let customer_name = customer_name.trim();
        if !(1..=100).contains(&customer_name.chars().count()) || customer_name.contains(char::is_control) {
            return Err(InvalidMember(NAME));
        }
        let is_address = email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
        let is_unprintable = |c: char| c.is_whitespace() || c.is_control();
        if !is_address || email.chars().count() > 254 || email.contains(is_unprintable) {
            return Err(InvalidMember(EMAIL));
        }
        let digits = phone.bytes().filter(u8::is_ascii_digit).count();
        let is_phone = phone.bytes().all(|byte| byte.is_ascii_digit() || b" +-().".contains(&byte));
        if !is_phone || digits < 5 || phone.len() > 25 {
            return Err(InvalidMember(PHONE));
        }
        Ok(Self { customer_name: customer_name.to_owned(), email: email.to_owned(), phone: phone.to_owned() })
    }
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Customer(..)") // a person
    }
}

/// A product that a customer wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// Which.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
    /// The price that the customer was shown, if the request says so.
    pub price: Option<Cents>,
}

/// What a customer wants to order: each product once, sorted by its ID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wish {
    /// The customer.
    pub customer: Customer,
    /// The products.
    pub lines: Vec<Wanted>,
}

impl Wish {
    /// Adds up lines of the same product.
    ///
    /// # Errors
    ///
    /// [`InvalidMember`] if there are too few lines or too many, or too many of one product.
    pub fn new(customer: Customer, lines: Vec<Wanted>) -> Result<Self, InvalidMember> {
        if !(1..=MAX_LINES).contains(&lines.len()) {
            return Err(InvalidMember("`productsToSubmit` is not a list of 1 to 20 lines"));
        }
        let mut merged = BTreeMap::<ProductId, Wanted>::new();
        for line in lines {
            if let Some(same) = merged.get_mut(&line.product_id) {
                if same.price.is_some() && line.price.is_some() && same.price != line.price {
                    return Err(InvalidMember("`price` is not the same in two lines of one product"));
                }
                same.quantity = same.quantity.saturating_add(line.quantity);
                same.price = same.price.or(line.price);
            } else {
                merged.insert(line.product_id.clone(), line);
            }
        }
        let lines: Vec<_> = merged.into_values().collect();
        if lines.iter().any(|line| !(1..=MAX_QUANTITY).contains(&line.quantity)) {
            return Err(InvalidMember("`quantity` is not a whole number from 1 to 99 for each product"));
        }
        Ok(Self { customer, lines })
    }

    /// Whether `order` is the one that this wish makes: of the same customer, with as many of the same products. Their
    /// prices may have changed since.
    #[must_use]
    pub fn is_of(&self, order: &Order) -> bool {
        let wanted = self.lines.iter().map(|line| (&line.product_id, line.quantity));
        let ordered = order.items.iter().map(|line| (&line.product_id, line.quantity));
        self.customer == order.customer && wanted.eq(ordered)
    }
}

/// A line of an order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// Which product.
    pub product_id: ProductId,
    /// Its name when it was ordered.
    pub product_name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one when it was ordered.
    #[serde(rename = "price_cents")]
    pub price: Cents,
}

impl Line {
    /// The price of the whole line.
    #[must_use]
    pub const fn amount(&self) -> Cents {
        self.price.times(self.quantity)
    }
}

/// An order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Order {
    /// Its ID.
    pub id: OrderId,
    /// Who ordered.
    pub customer: Customer,
    /// What was ordered, sorted by the ID of the product.
    pub items: Vec<Line>,
    /// When it was accepted.
    pub placed_at: Timestamp,
}

impl Order {
    /// The price of the order.
    #[must_use]
    pub fn total(&self) -> Cents {
        self.items.iter().map(Line::amount).sum()
    }
}

/// The input of an order's execution.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Accepted {
    /// What was ordered, at the prices of that time.
    pub order: Order,
    /// Whether it was ordered with a checkout token, which is spent as of `placed_at`.
    pub has_token: bool,
}

/// How many of a product an order takes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Taking {
    /// The product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
}

impl From<Line> for Taking {
    fn from(line: Line) -> Self {
        Self { product_id: line.product_id, quantity: line.quantity }
    }
}

/// Why a wish cannot be ordered at its prices.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PricingError {
    /// There is no such product (any more).
    UnknownProduct,
    /// The customer was shown another price.
    PriceChanged,
}

/// The lines of an order for `wanted`, at the present prices of `products`. Stock is not looked at.
///
/// # Errors
///
/// [`PricingError`].
pub fn price(wanted: &[Wanted], products: &[Product]) -> Result<Vec<Line>, PricingError> {
    let line = |wanted: &Wanted| {
        let product = products.iter().find(|product| product.id == wanted.product_id);
        let product = product.ok_or(PricingError::UnknownProduct)?;
        if wanted.price.is_some_and(|price| price != product.price) {
            return Err(PricingError::PriceChanged);
        }
        let (product_id, product_name) = (product.id.clone(), product.product_name.clone());
        Ok(Line { product_id, product_name, quantity: wanted.quantity, price: product.price })
    };
    wanted.iter().map(line).collect()
}

/// The status of an order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// Accepted; its stock has not been taken.
    Pending,
    /// Its stock has been taken.
    Confirmed,
    /// There was too little stock, and nothing was taken.
    Rejected,
}

impl Status {
    /// The status in an item of the table and in a response.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
        }
    }

    /// Reads a status; `None` if `text` is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Confirmed, Self::Rejected].into_iter().find(|status| status.as_str() == text)
    }
}

/// An order as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredOrder {
    /// What was ordered.
    pub order: Order,
    /// Its status.
    pub status: Status,
    /// Why it has this status, if there is a reason, such as `out_of_stock`.
    pub reason: Option<String>,
}

/// The position of an order in the list of all orders by time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// When the order was accepted.
    pub placed_at: Timestamp,
    /// Its ID.
    pub id: OrderId,
}

impl Position {
    /// Reads a position as it is written; `None` if `text` is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (placed_at, id) = text.split_once('.')?;
        let position = Self { placed_at: Timestamp(placed_at.parse().ok()?), id: OrderId::parse(id)? };
        (position.to_string() == text).then_some(position)
    }
}

impl From<&StoredOrder> for Position {
    fn from(StoredOrder { order, .. }: &StoredOrder) -> Self {
        Self { placed_at: order.placed_at, id: order.id }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.placed_at.0, self.id)
    }
}

/// The outcome of one write of a cancelled transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Write<T> {
    /// Its condition held.
    Possible,
    /// Its condition failed; `T` is what was found.
    Refused(T),
    /// Unknown, because of a conflict with another transaction or a busy store.
    Disturbed,
}

/// The outcome of an attempt to take the stock of an order and confirm it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settlement {
    /// The order is confirmed, by this attempt or an earlier one.
    Confirmed,
    /// There is too little of a product, or it is no longer sold. Nothing was taken.
    OutOfStock,
    /// The order has been rejected before.
    Rejected,
    /// There is no such order.
    Missing,
    /// Nothing was taken; another attempt may succeed.
    Busy,
}

/// Explains why the transaction that confirms an order was cancelled.
///
/// Its first write, `order`, confirms the order if it is pending; it found a status, or no order. The others, `lines`,
/// each take from the stock of a product if there is enough.
///
/// What the order's own status says comes first, so that a repeated attempt has the outcome of the first.
#[must_use]
pub fn settle(order: Write<Option<Status>>, lines: &[Write<()>]) -> Settlement {
    match order {
        Write::Refused(Some(Status::Confirmed)) => Settlement::Confirmed,
        Write::Refused(Some(Status::Rejected)) => Settlement::Rejected,
        Write::Refused(None) => Settlement::Missing,
        Write::Possible if lines.contains(&Write::Refused(())) => Settlement::OutOfStock,
        // A pending order meets its condition. After a conflict with another attempt for the same order, the stock may
        // be short because that attempt took it.
        Write::Refused(Some(Status::Pending)) | Write::Possible | Write::Disturbed => Settlement::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "Ada Lovelace";
    const EMAIL: &str = "ada@example.com";
    const PHONE: &str = "+1 (555) 010-9999";

    fn customer() -> Customer {
        Customer::new(NAME, EMAIL, PHONE).unwrap()
    }

    fn wanted(id: &str, quantity: u32, price: Option<u64>) -> Wanted {
        Wanted { product_id: ProductId::parse(id).unwrap(), quantity, price: price.map(Cents) }
    }

    fn product(id: &str, price: u64) -> Product {
        Product {
            id: ProductId::parse(id).unwrap(),
            product_name: format!("Cookie {id}"),
            description: String::new(),
            price: Cents(price),
            inventory_count: 0,
            image: String::new(),
        }
    }

    /// The member that an error names.
    fn member<T: std::fmt::Debug>(result: Result<T, InvalidMember>) -> String {
        result.unwrap_err().0.split('`').nth(1).unwrap().to_owned()
    }

    #[test]
    fn a_customer_is_accepted_at_the_limits_and_the_name_is_trimmed() {
        assert_eq!(Customer::new("  Ada ", EMAIL, PHONE).unwrap().customer_name, "Ada");
        let email = format!("{}@b", "a".repeat(252));
        for (name, email, phone) in [("x", "a@b", "12345"), (&"é".repeat(100), &email, "+49 (30) 1234-5678.901234")] {
            assert!(Customer::new(name, email, phone).is_ok(), "{name} {email} {phone}");
        }
    }

    #[test]
    fn the_member_at_fault_is_named() {
        for name in ["", "  ", "a\u{7}b", "a\nb", &"x".repeat(101)] {
            assert_eq!(member(Customer::new(name, EMAIL, PHONE)), "customer_name", "{name:?}");
        }
        for email in ["", "ada", "@b", "a@", "a@b@c", "a b@c", "a@b\n", " a@b", &format!("{}@b", "a".repeat(253))] {
            assert_eq!(member(Customer::new(NAME, email, PHONE)), "email", "{email:?}");
        }
        for phone in ["", "1234", "-----", "1234567x", "12345\n", "１２３４５", &"1".repeat(26)] {
            assert_eq!(member(Customer::new(NAME, EMAIL, phone)), "phone", "{phone:?}");
        }
    }

    #[test]
    fn debug_shows_no_person() {
        assert_eq!(format!("{:?}", customer()), "Customer(..)");
    }

    #[test]
    fn a_product_in_two_lines_is_added_up_and_products_are_sorted() {
        let lines = vec![wanted("2", 1, None), wanted("1", 2, Some(200)), wanted("2", 4, Some(300))];
        let expected = [wanted("1", 2, Some(200)), wanted("2", 5, Some(300))];
        assert_eq!(Wish::new(customer(), lines).unwrap().lines, expected);
    }

    #[test]
    fn lines_outside_the_limits_are_named() {
        let wish = |lines| Wish::new(customer(), lines);
        assert!(wish(vec![wanted("1", 99, None); 1]).is_ok());
        assert_eq!(member(wish(Vec::new())), "productsToSubmit");
        assert_eq!(member(wish(vec![wanted("1", 1, None); 21])), "productsToSubmit");
        assert_eq!(wish(vec![wanted("1", 1, None); 20]).unwrap().lines, [wanted("1", 20, None)]);
        for lines in [vec![wanted("1", 0, None)], vec![wanted("1", 100, None)], vec![wanted("1", 50, None); 2]] {
            assert_eq!(member(wish(lines)), "quantity");
        }
        assert_eq!(member(wish(vec![wanted("1", u32::MAX, None); 2])), "quantity");
        assert_eq!(member(wish(vec![wanted("1", 1, Some(1)), wanted("1", 1, Some(2))])), "price");
    }

    #[test]
    fn prices_names_and_the_total_come_from_the_products() {
        let products = [product("1", 200), product("2", 350)];
        let items = price(&[wanted("1", 3, None), wanted("2", 2, Some(350))], &products).unwrap();
        let order = Order { id: OrderId::new(uuid::Uuid::nil()), customer: customer(), items, placed_at: Timestamp(0) };
        assert_eq!(order.items[0].product_name, "Cookie 1");
        assert_eq!((order.items[0].amount(), order.items[1].amount()), (Cents(600), Cents(700)));
        assert_eq!(order.total(), Cents(1300));
    }

    #[test]
    fn another_price_and_a_product_that_is_not_sold_are_errors() {
        let products = [product("1", 200)];
        assert_eq!(price(&[wanted("1", 1, Some(199))], &products), Err(PricingError::PriceChanged));
        assert_eq!(price(&[wanted("9", 1, None)], &products), Err(PricingError::UnknownProduct));
    }

    #[test]
    fn a_wish_is_of_an_order_with_the_same_customer_and_quantities_at_any_price() {
        let wish = |customer, quantity| Wish::new(customer, vec![wanted("1", quantity, None)]).unwrap();
        let items = price(&wish(customer(), 3).lines, &[product("1", 200)]).unwrap();
        let order = Order { id: OrderId::new(uuid::Uuid::nil()), customer: customer(), items, placed_at: Timestamp(0) };
        assert!(wish(customer(), 3).is_of(&order));
        assert!(!wish(customer(), 2).is_of(&order));
        assert!(!wish(Customer::new("Eve", EMAIL, PHONE).unwrap(), 3).is_of(&order));
        let more = Wish::new(customer(), vec![wanted("1", 3, None), wanted("2", 1, None)]).unwrap();
        assert!(!more.is_of(&order));
    }

    #[test]
    fn a_cancelled_transaction_is_explained_by_the_order_first_and_then_by_the_stock() {
        use Settlement::{Busy, Confirmed, Missing, OutOfStock, Rejected};
        use Write::{Disturbed, Possible, Refused};

        let (fine, short, busy) = ([Possible, Possible], [Possible, Refused(())], [Disturbed, Refused(())]);
        for (order, lines, expected) in [
            (Refused(Some(Status::Confirmed)), &short, Confirmed),
            (Refused(Some(Status::Rejected)), &fine, Rejected),
            (Refused(None), &short, Missing),
            (Possible, &short, OutOfStock),
            (Possible, &busy, OutOfStock),
            (Possible, &[Disturbed, Possible], Busy),
            (Possible, &fine, Busy),
            // The other attempt may have taken the stock for the same order.
            (Disturbed, &short, Busy),
            (Disturbed, &fine, Busy),
            (Refused(Some(Status::Pending)), &fine, Busy),
        ] {
            assert_eq!(settle(order, lines), expected, "{order:?} {lines:?}");
        }
    }

    #[test]
    fn a_status_is_read_as_it_is_written() {
        for status in [Status::Pending, Status::Confirmed, Status::Rejected] {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("paid"), None);
    }
}
