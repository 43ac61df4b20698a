// What the customer wants to buy. Pure functions.

import { formatPrice, usd, type Cents } from './money';

/** A product of the catalogue. */
export type Product = {
  id: string;
  name: string;
  description: string;
  price: Cents;
  stock: number;
  /** The name of a file in `/images`. */
  image: string;
};

/** A product in the cart, at the price that the customer has seen. */
export type Line = { name: string; price: Cents; quantity: number };

/** The lines by the product's id. */
export type Cart = Record<string, Line>;

export type Customer = { name: string; email: string; phone: string };

/** The largest quantity of a product in one order. */
const MOST = 99;
/** The most lines in one order. */
const MOST_LINES = 20;

/** How many of a product one order can have. */
export const limit = (product: Product) => Math.min(MOST, product.stock);

/** From this stock on, it is said how many are left. */
const LOW = 10;

export const isLow = ({ stock }: Product) => stock < LOW;

/** The stock, in words. */
export const inStock = (product: Product) =>
  product.stock === 0 ? 'Out of stock' : isLow(product) ? `Only ${product.stock} left` : `${product.stock} in stock`;

/** The cart with `quantity` of the product, or as many as there are. */
export function put(cart: Cart, product: Product, quantity: number): Cart {
  const { [product.id]: _, ...others } = cart;
  const possible = Math.min(Math.max(0, Math.trunc(quantity) || 0), limit(product));
  if (possible === 0) return others;
  return { ...others, [product.id]: { name: product.name, price: product.price, quantity: possible } };
}

export const count = (cart: Cart) => Object.values(cart).reduce((sum, line) => sum + line.quantity, 0);

export const total = (lines: Line[]): Cents => lines.reduce((sum, line) => sum + line.price * line.quantity, 0);

/** The cart as the catalogue allows it now, and what had to change, in words. */
export function correct(cart: Cart, products: Product[]): { cart: Cart; changes: string[] } {
  const changes: string[] = [];
  let corrected: Cart = {};
  for (const [id, line] of Object.entries(cart)) {
    const product = products.find((it) => it.id === id);
    if (!product) {
      changes.push(`${line.name} is no longer sold. It was removed from your cart.`);
      continue;
    }
    corrected = put(corrected, product, line.quantity);
    const possible = corrected[id]?.quantity ?? 0;
    if (possible === 0) {
      changes.push(`${product.name} is sold out. It was removed from your cart.`);
    } else if (possible < line.quantity) {
      changes.push(`${product.name}: only ${possible} left, so your cart has ${possible} instead of ${line.quantity}.`);
    }
    if (possible > 0 && product.price !== line.price) {
      changes.push(`${product.name} now costs ${usd(product.price)} instead of ${usd(line.price)}.`);
    }
  }
  return { cart: corrected, changes };
}

/** What is wrong with each field, in words, by the API's rules. */
export function problems({ name, email, phone }: Customer): Partial<Customer> {
  const found: Partial<Customer> = {};
  if (!name.trim()) found.name = 'Enter your name.';
  else if ([...name.trim()].length > 100) found.name = 'Enter a name of at most 100 characters.';
  else if (/\p{Cc}/u.test(name.trim())) found.name = 'Enter a name without control characters.';
  if (!email.trim()) found.email = 'Enter your email address.';
  else if (!/^[^@\s]+@[^@\s]+$/.test(email.trim()) || email.trim().length > 254) {
    found.email = 'Enter an email address such as name@example.com.';
  }
  const digits = phone.replace(/\D/g, '').length;
  if (!phone.trim()) found.phone = 'Enter your phone number.';
  else if (!/^[\d +().-]{5,25}$/.test(phone.trim()) || digits < 5) {
    found.phone = 'Enter a phone number of 5 to 25 digits, spaces and + - ( ) .';
  }
  return found;
}

/** Why the cart cannot be ordered, in words. */
export function obstacle(cart: Cart): string | undefined {
  const lines = Object.keys(cart).length;
  if (lines === 0) return 'Your cart is empty, so there is nothing to order.';
  if (lines > MOST_LINES) return `One order can have at most ${MOST_LINES} kinds of cookies.`;
  return undefined;
}

/** The body of `POST /orders`. With the price that the customer has seen, the API refuses an order at any other. */
export function orderBody(cart: Cart, { name, email, phone }: Customer): string {
  return JSON.stringify({
    personalInfo: { customer_name: name.trim(), email: email.trim(), phone: phone.trim() },
    customerproduct: {
      productsToSubmit: Object.entries(cart).map(([id, { quantity, price }]) => ({ id, quantity, price: formatPrice(price) })),
    },
  });
}
