// What each screen says in each state, also those that a deployment cannot be brought to: the API's answers are replaced.

import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { checkout, count, customer, heading, hurry, json, jwt, launch, open, orders, placeOrder, refusal, remembered, route, says, stock } from './helpers.js';

const browser = await launch();
const ID = '00000000-0000-4000-8000-000000000000';

beforeEach(() => stock());

const tryAgain = (page) => page.getByRole('button', { name: 'Try again' });
const askAgain = (page) => page.getByRole('button', { name: 'Ask again' });

/** A checkout token with the ID of above. The tests that use it replace the answers of the API. */
const TOKEN = json(200, { token: jwt({ jti: ID }), expiration: '2100-01-01T00:00:00Z' });

// --- the catalogue ---

test('while the cookies load, placeholders are shown and a screen reader is told', async (t) => {
  let answer;
  const held = new Promise((resolve) => { answer = resolve; });
  const page = await open(t, browser, '/', { before: (page) => route(page, 'products', async (it) => { await held; await it.continue(); }) });
  await says(page, 'Loading the cookies…');
  assert.equal(await page.locator('.skeleton').count(), 4);
  answer();
  await page.getByRole('heading', { name: 'Chocolate Chip' }).waitFor();
  assert.equal(await page.locator('.skeleton').count(), 0);
});

test('cookies that cannot be loaded can be tried again', async (t) => {
  for (const answer of [(it) => it.abort(), refusal(503, 'unavailable'), json(200, { products: [{ id: '1' }] }), { status: 200, body: '<html>' }]) {
    const page = await open(t, browser, '/', { before: (page) => route(page, 'products', answer, 1) });
    await says(page, 'The cookies could not be loaded.');
    await tryAgain(page).click();
    await page.getByRole('heading', { name: 'Chocolate Chip' }).waitFor();
    assert.equal(count(page, 'GET /products'), 2);
  }
});

test('an empty shelf is said', async (t) => {
  const page = await open(t, browser, '/', { before: (page) => route(page, 'products', json(200, { products: [] })) });
  await page.getByText('The shelf is empty today.').waitFor();
});

test('a stock that is low or out is said, and limits the quantity', async (t) => {
  stock({ 1: { inventory_count: 0 }, 2: { inventory_count: 3 }, 3: { inventory_count: 1000 } });
  const page = await open(t, browser);
  const card = (name) => page.locator('.card', { hasText: name });
  await card('Peanut Chocolate').getByText('Out of stock').waitFor();
  assert.equal(await card('Peanut Chocolate').locator('input').count(), 0);
  await card('Half and Half').getByText('Only 3 left').waitFor();
  const quantity = page.getByLabel('Quantity of Half and Half');
  const more = page.getByLabel('One Half and Half more');
  await quantity.fill('7');
  assert.equal(await quantity.inputValue(), '3');
  assert.ok(await more.isDisabled());
  await page.getByLabel('One Half and Half less').click();
  assert.equal(await quantity.inputValue(), '2');
  await more.click();
  await says(page, '3 cookies · $9.00');
  await quantity.fill('');
  await says(page, 'Your cart is empty.');
  const many = page.getByLabel('Quantity of Chocolate Chip');
  await many.fill('500');
  assert.equal(await many.inputValue(), '99');
  await many.fill('-1');
  assert.equal(await many.inputValue(), '0');
});

test('a cart of an earlier visit follows the catalogue', async (t) => {
  const page = await checkout(t, browser, customer(), { 'Half and Half': 3 });
  stock({ 2: { inventory_count: 1, price_cents: 275 } });
  await page.reload();
  await says(page, 'only 1 left, so your cart has 1 instead of 3.');
  await says(page, 'Half and Half now costs $2.75 instead of $3.00.');
  assert.equal(await page.textContent('.lines tfoot td'), '$2.75');
});

test('a picture that is missing is a plain cookie', async (t) => {
  stock({ 3: { image: 'missing.png' } });
  const page = await open(t, browser);
  const picture = page.locator('.card', { hasText: 'Chocolate Chip' }).locator('img');
  await page.waitForFunction(() => [...document.querySelectorAll('.card img')].some((it) => it.src.endsWith('/images/cookie.svg') && it.naturalWidth));
  assert.match(await picture.getAttribute('src'), /cookie\.svg$/);
});

test('markup in the catalogue is shown as text', async (t) => {
  const evil = '<img src=x onerror=alert(1)>';
  stock({ 3: { product_name: evil, description: evil } });
  const page = await open(t, browser);
  await page.getByRole('heading', { name: evil }).waitFor();
  assert.equal(await page.locator('img[src=x]').count(), 0);
});

test('without its configuration the shop is closed, and can be tried again', async (t) => {
  for (const answer of [(it) => it.abort(), { status: 404 }, { status: 200, body: '<!doctype html>' }, json(200, {})]) {
    const page = await open(t, browser, '/', { before: (page) => page.route('**/config.json', (it) =>
      (typeof answer === 'function' ? answer(it) : it.fulfill(answer)), { times: 1 }) });
    await heading(page, 'The shop is closed for a moment');
    await tryAgain(page).click();
    await heading(page, 'Cookies from our oven');
  }
});

test('an unknown address is said, and old addresses lead to the cookies', async (t) => {
  for (const path of ['/nope', '/order', '/order/a/b', '/checkout/x', '/index']) {
    await heading(await open(t, browser, path), 'There is no such page');
  }
  for (const path of ['/products', '/home']) {
    const page = await open(t, browser, path);
    await heading(page, 'Cookies from our oven');
    assert.equal(new URL(page.url()).pathname, '/');
  }
});

// --- the checkout ---

test('an empty cart cannot be ordered, takes no token, and says why', async (t) => {
  const page = await open(t, browser, '/checkout');
  await page.getByText('Your cart is empty, so there is nothing to order.').waitFor();
  assert.equal(await placeOrder(page).getAttribute('aria-disabled'), 'true');
  await placeOrder(page).click({ force: true });
  await page.waitForTimeout(300);
  assert.deepEqual(page.sent.filter((it) => it !== 'GET /products'), []);
});

test('an invalid form is not sent; a summary with the focus leads to each field', async (t) => {
  const page = await checkout(t, browser, ' ');
  await page.getByLabel('Email').fill('ada@');
  await placeOrder(page).click();
  const summary = page.getByRole('alert');
  assert.ok(await summary.evaluate((it) => it === document.activeElement));
  assert.deepEqual(await summary.locator('li').allTextContents(), ['Enter your name.', 'Enter an email address such as name@example.com.']);
  for (const [id, isWrong] of [['name', true], ['email', true], ['phone', false]]) {
    assert.equal(await page.getAttribute(`#${id}`, 'aria-invalid'), isWrong ? 'true' : null);
    assert.equal(await page.getAttribute(`#${id}`, 'aria-describedby'), isWrong ? `${id}-problem` : null);
  }
  await summary.getByText('Enter your name.').click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
  await page.keyboard.type('Ada');
  assert.equal(await page.getAttribute('#name', 'aria-invalid'), null);
  assert.equal(count(page, 'POST /orders'), 0);
});

test('a refused order says what the shop says, and the next one has a new token', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  await route(page, 'orders', refusal(400, 'invalid_request', '`email` must be an address'), 1);
  await placeOrder(page).click();
  await says(page, 'Nothing was ordered. The shop says: `email` must be an address');
  assert.equal((await remembered(page)).checkout, null);
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.equal(count(page, 'GET /checkout-token'), 2);
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('a 503, a 429 and a reply that is not from the API leave the outcome open: the same token again', async (t) => {
  for (const answer of [refusal(503, 'unavailable'), json(429, { message: 'Too Many Requests' }), json(403, { message: 'Forbidden' }), { status: 202, body: 'ok' }, { status: 502, body: '' }]) {
    const name = customer();
    const page = await checkout(t, browser, name);
    await route(page, 'orders', answer, 1);
    await placeOrder(page).click();
    await heading(page, 'Your order is confirmed');
    assert.deepEqual([count(page, 'POST /orders'), count(page, 'GET /checkout-token')], [2, 1]);
    assert.deepEqual(orders(name), ['confirmed 200']);
  }
});

test('without a checkout token nothing is ordered, and it can be tried again', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name, undefined, { before: (page) => route(page, 'checkout-token', refusal(503, 'unavailable'), 2) });
  await placeOrder(page).click();
  await says(page, 'Nothing was ordered: the shop does not answer.');
  assert.equal(count(page, 'POST /orders'), 0);
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('an answer that stays missing: the form and the cart stay as they were sent, and the customer can ask again', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  await page.clock.install();
  await route(page, 'orders', (it) => it.abort());
  await route(page, 'orders/**', (it) => it.abort());
  await placeOrder(page).click();
  await says(page, 'Placing your order…');
  await hurry(page, 130);
  await says(page, 'we do not know yet whether your order was placed');
  assert.equal(await page.getAttribute('#name', 'readonly'), '');

  await page.getByRole('link', { name: 'Cookies', exact: true }).click();
  await page.getByText('Your last order is on its way.').waitFor();
  assert.ok(await page.getByLabel('Quantity of Chocolate Chip').isDisabled());
  await page.unroute('**/api/orders');
  await page.unroute('**/api/orders/**');
  await page.getByRole('link', { name: 'See the order' }).click();
  await page.clock.runFor(5000);
  await heading(page, 'Your order is confirmed');
  assert.equal(count(page, 'GET /checkout-token'), 1);
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('who leaves the checkout while the order is placed is not called back', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  let answer;
  const held = new Promise((resolve) => { answer = resolve; });
  await route(page, 'orders', async (it) => { await held; await it.continue(); });
  await placeOrder(page).click();
  await page.getByRole('link', { name: 'About' }).click();
  const placed = page.waitForResponse('**/api/orders');
  answer();
  await placed;
  await page.waitForTimeout(300);
  await heading(page, 'About Crumb Street');
  await page.getByRole('link', { name: /^Cart/ }).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 200']);
});

// --- the order ---

/** Places an order whose status is what the API says in `statuses`, in turn. */
async function ordered(t, ...statuses) {
  const page = await checkout(t, browser, customer(), undefined, { before: async (page) => {
    await route(page, 'checkout-token', TOKEN);
    await route(page, 'orders', json(202, { executionArn: 'arn', order_id: ID }));
    await route(page, 'orders/status/*', (it) => it.fulfill(statuses.length > 1 ? statuses.shift() : statuses[0]));
  } });
  await placeOrder(page).click();
  return page;
}

const status = (status, reason) => json(200, { status, order_id: ID, ...reason && { reason } });

test('an order that waits is shown, also before the status is known everywhere', async (t) => {
  const page = await ordered(t, refusal(404, 'not_found'), status('RUNNING'), refusal(503, 'unavailable'), status('SUCCEEDED'));
  await heading(page, 'Your order has arrived');
  await says(page, 'We are setting your cookies aside…');
  assert.equal(await page.textContent('.number strong'), ID);
  assert.equal(await page.textContent('.lines tfoot td'), '$2.00');
  await page.getByRole('link', { name: 'See the cookies' }).click();
  await page.getByText('Your last order is on its way.').waitFor();
  await page.getByRole('link', { name: 'See the order' }).click();
  await heading(page, 'Your order is confirmed');
});

test('an order that failed: do not order again, with the number; the cart is empty', async (t) => {
  for (const answer of [status('FAILED', 'failed'), status('FAILED'), status('TIMED_OUT'), status('ABORTED')]) {
    const page = await ordered(t, answer);
    await heading(page, 'Your order needs our help');
    await says(page, 'Please do not order again.');
    assert.equal(await page.textContent('.number strong'), ID);
    assert.deepEqual((await remembered(page)).cart, {});
  }
});

test('an order whose token was refused is not placed, and can be tried again with the same cart', async (t) => {
  const page = await ordered(t, status('FAILED', 'token_refused'));
  await heading(page, 'Your order was not accepted');
  await page.getByRole('link', { name: 'Back to the checkout' }).click();
  assert.equal(await page.textContent('.lines tfoot td'), '$2.00');
  assert.equal(await placeOrder(page).getAttribute('aria-disabled'), 'false');
});

test('no news for two minutes: the number, and the customer can ask again', async (t) => {
  const page = await ordered(t, status('RUNNING'));
  await heading(page, 'Your order has arrived');
  await page.reload();
  await page.clock.install();
  await page.reload();
  await heading(page, 'Your order has arrived');
  await hurry(page, 130);
  await heading(page, 'No news of your order yet');
  await says(page, 'Please do not order again');
  const asked = count(page, 'GET /orders/status/ID');
  assert.ok(asked < 45, `asked ${asked} times`);
  await page.unroute('**/api/orders/status/*');
  await route(page, 'orders/status/*', status('SUCCEEDED'));
  await askAgain(page).click();
  await heading(page, 'Your order is confirmed');
});

test('the address of an order that does not exist says so', async (t) => {
  const page = await open(t, browser, `/order/${ID}`);
  await heading(page, 'There is no such order');
  const odd = await open(t, browser, '/order/%3Cscript%3E..%2F');
  await heading(odd, 'There is no such order');
});
