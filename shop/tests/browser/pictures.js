// Makes the pictures of shop/README.md from a real order: `node pictures.js`, while the shop of `shop/up` is running.
// The test of a picture is to look at it.

import { test } from 'node:test';
import { fill, heading, introduce, launch, open, placeOrder, stock } from './helpers.js';

const images = new URL('../../../docs/images/', import.meta.url).pathname;

test('the pictures', async (t) => {
  const browser = await launch();
  stock({ 2: { inventory_count: 7 }, 4: { inventory_count: 0 } });
  const page = await open(t, browser, '/', { viewport: { width: 1120, height: 1300 }, colorScheme: 'light' });
  const picture = async (name, selector, size) => {
    if (size) await page.setViewportSize(size);
    await page.evaluate(() => document.activeElement.blur());
    const end = await page.locator(selector).boundingBox();
    const { width } = page.viewportSize();
    await page.screenshot({ path: `${images}${name}.jpg`, type: 'jpeg', quality: 75, clip: { x: 0, y: 0, width, height: end.y + end.height + 24 } });
  };
  await page.getByRole('heading', { name: 'Chocolate Chip' }).waitFor();
  await fill(page, { 'Peanut Chocolate': 3, 'Half and Half': 2, 'Chocolate Chip': 5 });
  await picture('shop', '.cart-bar');
  await page.getByRole('link', { name: 'Checkout' }).click();
  await introduce(page, 'Ada Lovelace');
  await picture('shop-checkout', 'form', { width: 760, height: 1300 });
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  await picture('shop-order', '.actions');
  stock();
});
