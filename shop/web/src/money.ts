/** An amount in US cents, a whole number. */
export type Cents = number;

/** Reads a price as the API writes it, such as `"2.00"`; undefined if it is not one. */
export function parsePrice(price: unknown): Cents | undefined {
  const [, dollars, cents] = (typeof price === 'string' && /^(\d{1,5})\.(\d{2})$/.exec(price)) || [];
  return dollars && cents ? Number(dollars) * 100 + Number(cents) : undefined;
}

/** Writes a price as the API does. */
export function formatPrice(amount: Cents): string {
  return `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`;
}

const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });

/** Shows an amount to the customer, such as `$2.00`. */
export function usd(amount: Cents): string {
  return dollars.format(amount / 100);
}
