// Makes the pictures of shop/README.md: `node pictures.js`, while the shop of `shop/up` is running.
// The test of a picture is to look at it.

import { test } from 'node:test';
import { button, fill, heading, introduce, launch, open, placeOrder, signIn, stock } from './helpers.js';

const images = new URL('../../../docs/images/', import.meta.url).pathname;
const browser = await launch();
const look = { viewport: { width: 1120, height: 1300 }, colorScheme: 'light' };

/** Takes a picture of the page from its top to the end of `selector`. */
async function picture(page, name, selector, size) {
  if (size) await page.setViewportSize(size);
  await page.evaluate(() => document.activeElement.blur());
  const end = await page.locator(selector).first().boundingBox();
  const { width } = page.viewportSize();
  await page.screenshot({ path: `${images}${name}.jpg`, type: 'jpeg', quality: 75, clip: { x: 0, y: 0, width, height: end.y + end.height + 24 } });
}

test('an order', async (t) => {
  stock({ 2: { inventory_count: 7 }, 4: { inventory_count: 0 } });
  const page = await open(t, browser, '/', look);
  await page.getByRole('heading', { name: 'Chocolate Chip' }).waitFor();
  await fill(page, { 'Peanut Chocolate': 3, 'Half and Half': 2, 'Chocolate Chip': 5 });
  await picture(page, 'shop', '.cart-bar');
  await page.getByRole('link', { name: 'Checkout' }).click();
  await introduce(page, 'Ada Lovelace');
  await picture(page, 'shop-checkout', 'form', { width: 760, height: 1300 });
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  await picture(page, 'shop-order', '.actions');
  stock();
});

test('the stock, and a report', async (t) => {
  stock({ 2: { inventory_count: 7 }, 4: { inventory_count: 0 } });
  const page = await signIn(t, browser, 'admin', '/stock', look);
  await button(page, 'Edit Chocolate Chip').waitFor();
  await picture(page, 'shop-stock', 'table', { width: 960, height: 1300 });
  await page.getByRole('link', { name: 'Reports' }).click();
  await button(page, 'Create the reports').click();
  await button(page, 'Open the report on orders').click();
  await page.waitForSelector('svg');
  await picture(page, 'shop-report', 'svg');
  stock();
});
