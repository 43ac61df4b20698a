// What an administrator enters about a product. Pure functions.

import type { Product } from '../cart';
import { formatPrice, parsePrice } from '../money';

/** The fields of the form, as they are typed. */
export type Draft = { name: string; description: string; price: string; stock: string; image: string };

export const draft = ({ name, description, price, stock, image }: Product): Draft =>
  ({ name, description, price: formatPrice(price), stock: String(stock), image });

/** What is wrong with each field, in words, by the API's rules. */
export function problems({ name, description, price, stock, image }: Draft): Partial<Draft> {
  const found: Partial<Draft> = {};
  const length = [...name.trim()].length;
  if (length < 1 || length > 80) found.name = 'Enter a name of at most 80 characters.';
  if ([...description.trim()].length > 500) found.description = 'Enter at most 500 characters.';
  if (!cents(price)) found.price = 'Enter a price such as 2.50, from 0.01 to 99999.99.';
  if (!/^\d{1,7}$/.test(stock.trim()) || Number(stock) > 1_000_000) found.stock = 'Enter a whole number from 0 to 1000000.';
  if (!/^[a-z0-9-]+\.(svg|png|jpe?g|webp)$/.test(image.trim())) found.image = 'Enter the name of a picture, such as cookie.svg.';
  return found;
}

/** A price as people type it: `2`, `2.5` or `2.50`. */
function cents(price: string) {
  const [dollars = '', decimals = ''] = price.trim().split('.');
  return parsePrice(`${dollars}.${decimals.padEnd(2, '0')}`);
}

/** The product, of a draft without problems. */
export const product = (id: string, { name, description, price, stock, image }: Draft): Product =>
  ({ id, name: name.trim(), description: description.trim(), price: cents(price) ?? 0, stock: Number(stock), image: image.trim() });

/** Whether two products differ in nothing that an administrator enters. */
export const isSame = (one: Product, other: Product) =>
  (['name', 'description', 'price', 'stock', 'image'] as const).every((it) => one[it] === other[it]);
