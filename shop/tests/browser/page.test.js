// The screens as a whole: accessibility, sizes, keyboard, focus, what is loaded and from where.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test, { beforeEach } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkout, customer, fill, goToCheckout, heading, inspect, introduce, launch, LOOKS, open, orders, placeOrder, route, refusal, says, stock, url } from './helpers.js';

const browser = await launch();

beforeEach(() => stock());

for (const [name, options] of LOOKS) {
  test(`the shop, ${name}: axe finds nothing, nothing is cut off, and every target is large enough`, async (t) => {
    const check = (page, state) => inspect(page, `${name}-${state}`);
    stock({ 2: { inventory_count: 7 }, 4: { inventory_count: 0 } });
    const page = await open(t, browser, '/', options);
    await page.getByRole('heading', { name: 'Chocolate Chip' }).waitFor();
    await check(page, 'catalogue');
    const isDark = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor.match(/\d+/)[0] < 128);
    assert.equal(isDark, options.colorScheme === 'dark');
    await fill(page, { 'Peanut Chocolate': 3, 'Half and Half': 2, 'Chocolate Chip': 5 });
    await check(page, 'cart');
    await goToCheckout(page);
    await placeOrder(page).click();
    await page.getByRole('alert').waitFor();
    await check(page, 'invalid');
    await introduce(page, customer());
    stock({ 2: { inventory_count: 1 } });
    await placeOrder(page).click();
    await heading(page, 'Sold out before your order');
    await says(page, 'Half and Half: only 1 left');
    await check(page, 'sold-out');
    await goToCheckout(page, 'Back to the checkout');
    stock({ 3: { price_cents: 125 } });
    await placeOrder(page).click();
    await says(page, 'Nothing was ordered, because the cart changed.');
    await says(page, 'Chocolate Chip now costs');
    await check(page, 'price-changed');
    await placeOrder(page).click();
    await heading(page, 'Your order is confirmed');
    await check(page, 'confirmed');

    for (const [state, path, title, before] of [
      ['about', '/about', 'About Crumb Street'],
      ['empty-cart', '/checkout', 'Checkout'],
      ['unknown', '/nope', 'There is no such page'],
      ['no-order', '/order/00000000-0000-4000-8000-000000000000', 'There is no such order'],
      ['down', '/', 'Cookies from our oven', (page) => route(page, 'products', refusal(503, 'unavailable'))],
      ['closed', '/', 'The shop is closed for a moment', (page) => page.route('**/config.json', (it) => it.abort())],
      ['failed', '/order/1', 'Your order needs our help', (page) => route(page, 'orders/status/1', { status: 200, body: '{"status":"TIMED_OUT"}' })],
    ]) {
      const page = await open(t, browser, path, { ...options, before });
      await heading(page, title);
      if (state === 'down') await says(page, 'The cookies could not be loaded.');
      await check(page, state);
    }
  });
}

test('cookies are bought with the keyboard alone, and the heading of each new screen has the focus', async (t) => {
  const name = customer();
  const page = await open(t, browser);
  await page.getByLabel('Quantity of Peanut Chocolate').waitFor();
  const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);
  const tabTo = async (label) => {
    for (let i = 0; i < 40 && await focused() !== label; i++) await page.keyboard.press('Tab');
    assert.equal(await focused(), label);
  };
  assert.ok(await page.evaluate(() => document.activeElement === document.body), 'the first screen leaves the focus alone');
  await tabTo('Quantity of Peanut Chocolate');
  await page.keyboard.type('2');
  await tabTo('Checkout');
  await page.keyboard.press('Enter');
  await heading(page, 'Checkout');
  assert.equal(await focused(), 'Checkout');
  assert.ok(await page.evaluate(() => document.activeElement.tagName === 'H1'));
  assert.equal(await page.title(), 'Checkout · Crumb Street');
  await tabTo('Change the cart');
  for (const text of [name, 'ada@example.com', '12345']) {
    await page.keyboard.press('Tab');
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await heading(page, 'Your order is confirmed');
  assert.ok(await page.evaluate(() => document.activeElement.tagName === 'H1'));
  assert.deepEqual(orders(name), ['confirmed 400']);
  await page.getByRole('link', { name: 'About' }).click();
  assert.equal(await focused(), 'About Crumb Street');
  assert.equal(await page.evaluate(() => scrollY), 0);
});

test('with reduced motion nothing moves', async (t) => {
  const before = (page) => route(page, 'products', () => {});
  for (const [reducedMotion, animation] of [['reduce', 'none'], ['no-preference', 'shimmer']]) {
    const page = await open(t, browser, '/', { before, reducedMotion });
    await page.waitForSelector('.skeleton');
    assert.equal(await page.locator('.skeleton').first().evaluate((it) => getComputedStyle(it).animationName), animation);
  }
});

test('the page loads at most 90 kB with gzip, everything from its own origin', async (t) => {
  const page = await checkout(t, browser, customer(), undefined, { before: (page) => {
    page.loaded = [];
    page.on('request', (request) => page.loaded.push(request.url()));
  } });
  assert.deepEqual(page.loaded.filter((it) => !it.startsWith(`${url}/`)), []);
  assert.deepEqual(await page.context().cookies(), []);
  const bundle = new URL('../../web/dist/', import.meta.url);
  const files = ['index.html', ...readdirSync(new URL('assets/', bundle)).map((it) => `assets/${it}`)];
  const sizes = files.map((it) => gzipSync(readFileSync(new URL(it, bundle))).length);
  const total = sizes.reduce((sum, it) => sum + it);
  t.diagnostic(`${files.length} files, ${total} bytes with gzip`);
  assert.ok(total <= 90_000, `${total} bytes`);
});

test('the policy of the page allows only its own origin, no script in the page, and no frame', async (t) => {
  const response = await fetch(url);
  assert.match(response.headers.get('content-security-policy'), /frame-ancestors 'none'/);
  const page = await open(t, browser, '/', { expects: /inline script/ });
  const policy = await page.getAttribute('meta[http-equiv=Content-Security-Policy]', 'content');
  assert.equal(policy, "default-src 'self'; base-uri 'none'; form-action 'self'");
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.head.append(script);
    return window.ran;
  });
  assert.equal(ran, undefined);
});

test('a printed order is its number, its lines and its total', async (t) => {
  const page = await checkout(t, browser, customer());
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  await page.emulateMedia({ media: 'print' });
  assert.ok(await page.isVisible('.number') && await page.isVisible('.lines'));
  assert.ok(!await page.isVisible('nav') && !await page.isVisible('.actions'));
});
