// Buying on the deployment: whatever happens to the answers, one click is one order, and the page knows it.

import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { checkout, count, customer, expiry, fill, heading, launch, left, loseReply, open, orders, placeOrder, remembered, rememberedWithToken, remove, route, says, stock, tokensLive, url, watch } from './helpers.js';

const browser = await launch();

beforeEach(() => stock());

test('three kinds are bought, and the page shows what the server has', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name, { 'Peanut Chocolate': 3, 'Half and Half': 2, 'Chocolate Chip': 5 });
  assert.equal(await page.textContent('.lines tfoot td'), '$17.00');
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 1700']);
  assert.deepEqual(left(), { 1: 97, 2: 98, 3: 95, 4: 100 });
  assert.equal(await page.textContent('.lines tfoot td'), '$17.00');
  // Neither the customer nor the token stays.
  const { receipt, ...rest } = await remembered(page);
  assert.deepEqual(rest, { cart: {}, customer: { name: '', email: '', phone: '' }, checkout: null });
  assert.equal(await page.textContent('.number strong'), receipt.id);

  const address = page.url();
  await page.reload();
  await heading(page, 'Your order is confirmed');
  assert.equal(await page.textContent('.lines tfoot td'), '$17.00');
  const later = await open(t, browser, address.slice(url.length));
  await heading(later, 'Your order is confirmed');
  assert.equal(await later.locator('.lines').count(), 0);
});

test('a double click and Enter make one order', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  await placeOrder(page).dblclick({ noWaitAfter: true });
  await page.keyboard.press('Enter');
  await heading(page, 'Your order is confirmed');
  assert.equal(count(page, 'POST /orders'), 1);
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('a reload while the answer is missing, and Back afterwards, make one order', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  // The server works, and its answer never comes.
  await route(page, 'orders', async (it) => { await it.fetch(); }, 1);
  const worked = page.waitForRequest('**/api/orders');
  await placeOrder(page).click();
  await worked;
  await says(page, 'The answer is late.');
  await page.reload();
  await heading(page, 'Your order is confirmed');
  await page.goBack();
  await heading(page, 'Cookies from our oven');
  await says(page, 'Your cart is empty.');
  await page.goForward();
  await heading(page, 'Your order is confirmed');
  assert.equal(count(page, 'GET /checkout-token'), 1);
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('Back in the checkout and a reload keep the cart, the customer and the token', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  await rememberedWithToken(page);
  await page.reload();
  assert.equal(await page.inputValue('#name'), name);
  await page.goBack();
  await heading(page, 'Cookies from our oven');
  assert.equal(await page.getByLabel('Quantity of Chocolate Chip').inputValue(), '2');
  await page.goForward();
  assert.equal(await page.inputValue('#phone'), '+44 20 7946 0958');
  assert.equal(count(page, 'GET /checkout-token'), 1);
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('a reply that is lost after the server worked: the page asks with the same token, and there is one order', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  await route(page, 'orders', loseReply, 1);
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(page.sent.filter((it) => /orders|token/.test(it)).slice(0, 4), ['GET /checkout-token', 'POST /orders', 'GET /orders/status/ID', 'POST /orders']);
  assert.equal(count(page, 'GET /checkout-token'), 1);
  assert.deepEqual(orders(name), ['confirmed 200']);
  assert.equal(left()[3], 98);
});

test('an order that is lost on the way is sent again with the same token', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  await route(page, 'orders', (it) => it.abort(), 2);
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.equal(count(page, 'POST /orders'), 3);
  assert.equal(count(page, 'GET /checkout-token'), 1);
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('the lid is closed after “Place order” and the token expires: one order, and the page knows it', async (t) => {
  for (const isReloaded of [false, true]) {
    const name = customer();
    tokensLive(t, 8);
    const page = await checkout(t, browser, name);
    let reply;
    await route(page, 'orders', async (it) => { reply = await loseReply(it); }, 1);
    const lost = page.waitForEvent('requestfailed');
    await placeOrder(page).click();
    await lost;
    assert.equal(reply.status(), 202);
    await page.context().setOffline(true);
    await expiry(page);
    await page.context().setOffline(false);
    if (isReloaded) await page.reload();
    await heading(page, 'Your order is confirmed');
    assert.equal(count(page, 'GET /checkout-token'), 1);
    assert.deepEqual(orders(name), ['confirmed 200']);
  }
});

test('an order that never arrived before its token expired: the page says so, and the next one is the only one', async (t) => {
  const name = customer();
  tokensLive(t, 8);
  const page = await checkout(t, browser, name);
  await route(page, 'orders', (it) => it.abort(), 1);
  const lost = page.waitForEvent('requestfailed');
  await placeOrder(page).click();
  await lost;
  await page.context().setOffline(true);
  await expiry(page);
  await page.context().setOffline(false);
  await page.locator('[role=status]', { hasText: 'the order did not reach the shop in time' }).waitFor({ timeout: 60_000 });
  assert.deepEqual(orders(name), []);
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('a token that expires while the form is filled in is replaced without a word', async (t) => {
  const name = customer();
  tokensLive(t, 1);
  const page = await checkout(t, browser, name);
  await expiry(page);
  tokensLive(t, 60);
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.equal(count(page, 'GET /checkout-token'), 2);
  assert.deepEqual(orders(name), ['confirmed 200']);
});

test('sold out meanwhile: the order is rejected, the cart corrected, and a new order possible', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name, { 'Half and Half': 3, 'Coconut Chocolate': 1, 'Chocolate Chip': 2 });
  stock({ 2: { inventory_count: 2 }, 4: { inventory_count: 0 } });
  await placeOrder(page).click();
  await heading(page, 'Sold out before your order');
  await says(page, 'Half and Half: only 2 left, so your cart has 2 instead of 3.');
  await says(page, 'Coconut Chocolate is sold out. It was removed from your cart.');
  assert.deepEqual(left(), { 1: 100, 2: 2, 3: 100, 4: 0 });
  await page.getByRole('link', { name: 'Back to the checkout' }).click();
  assert.equal(await page.textContent('.lines tfoot td'), '$8.00');
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 800', 'rejected 1500']);
  assert.deepEqual(left(), { 1: 100, 2: 0, 3: 98, 4: 0 });
});

test('a price that changed: nothing is ordered, the page says what changed, and the next order has the new price', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  stock({ 3: { price_cents: 125 } });
  await placeOrder(page).click();
  await says(page, 'Nothing was ordered, because the cart changed.');
  await says(page, 'Chocolate Chip now costs $1.25 instead of $1.00.');
  assert.equal(await page.textContent('.lines tfoot td'), '$2.50');
  assert.deepEqual(orders(name), []);
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 250']);
});

test('a product that is no longer sold is removed from the cart', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name, { 'Chocolate Chip': 2, 'Half and Half': 1 });
  remove('3');
  await placeOrder(page).click();
  await says(page, 'Chocolate Chip is no longer sold. It was removed from your cart.');
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 300']);
});

test('a copy of the tab with another cart does not order with the same token', async (t) => {
  const name = customer();
  const page = await checkout(t, browser, name);
  const copy = await page.context().newPage();
  watch(t, copy);
  const stored = JSON.stringify(await rememberedWithToken(page));
  await copy.addInitScript((it) => { if (!sessionStorage.length) sessionStorage.setItem('crumb-street', it); }, stored);
  await copy.goto(url);
  await fill(copy, { 'Chocolate Chip': 3 });
  await copy.getByRole('link', { name: 'Checkout' }).click();
  await placeOrder(page).click();
  await heading(page, 'Your order is confirmed');
  // Also when the answer is lost, and the status alone would say that there is an order.
  await route(copy, 'orders', loseReply, 1);
  await placeOrder(copy).click();
  await says(copy, 'This checkout already placed another order');
  assert.equal(await copy.getByRole('link', { name: 'See the other order' }).getAttribute('href'), new URL(page.url()).pathname);
  assert.deepEqual(orders(name), ['confirmed 200']);
  await placeOrder(copy).click();
  await heading(copy, 'Your order is confirmed');
  assert.deepEqual(orders(name), ['confirmed 200', 'confirmed 300']);
});
