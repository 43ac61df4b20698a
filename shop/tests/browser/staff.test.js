// The staff on the deployment: who may do what, and how long they are signed in.

import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { button, checkout, customer, enterPassword, heading, jwt, launch, left, open, placeOrder, route, says, shop, signIn, stock, url } from './helpers.js';

const browser = await launch();
const COOKIE = '__Host-refresh';

beforeEach(() => stock());

/** Calls the API as the page would, from outside of a browser. */
const call = (path, token, method = 'GET', body) => fetch(shop.apiUrl + path, {
  method, headers: { ...token && { Authorization: `Bearer ${token}` }, ...body && { 'Content-Type': 'application/json' } }, ...body && { body: JSON.stringify(body) },
});

test('an administrator sees what was ordered', async (t) => {
  const name = customer();
  const shopping = await checkout(t, browser, name, { 'Peanut Chocolate': 3, 'Chocolate Chip': 5 });
  await placeOrder(shopping).click();
  await heading(shopping, 'Your order is confirmed');
  const number = await shopping.textContent('.number strong');

  const page = await signIn(t, browser, 'admin');
  const row = page.locator('tbody tr', { hasText: name });
  await row.waitFor();
  assert.equal(await row.locator('.status').textContent(), 'Confirmed');
  assert.equal(await page.locator('tbody tr').first().locator('a').textContent(), name, 'the newest order is the first');
  await row.getByRole('link').click();
  await heading(page, `Order ${number.slice(0, 8)}`);
  await page.getByText('ada@example.com').waitFor();
  assert.equal(await page.textContent('.lines tfoot td'), '$11.00');
  await page.reload();
  await page.getByText('ada@example.com').waitFor();
  assert.equal(page.url(), `${url}/orders/${number}`);
});

test('an administrator adds, edits and deletes a product, and customers see it', async (t) => {
  const page = await signIn(t, browser, 'admin', '/stock');
  await button(page, 'Add a product').click();
  const dialog = page.getByRole('dialog');
  for (const [label, value] of Object.entries({ Name: 'Oat <b>', Description: 'Oats.', Price: '1.5', Stock: '12' })) await dialog.getByLabel(label).fill(value);
  await button(page, 'Save').click();
  await says(page, 'Oat <b> was added.');
  const row = page.locator('tbody tr', { hasText: 'Oat <b>' });
  const id = (await row.locator('small').textContent()).match(/number (.*)/)[1];
  assert.equal(left()[id], 12);

  const shopping = await open(t, browser);
  const card = shopping.locator('.card', { hasText: 'Oat <b>' });
  await card.getByText('$1.50').waitFor();

  await button(page, 'Edit Oat <b>').click();
  await dialog.getByLabel('Name').fill('Oat');
  await dialog.getByLabel('Stock').fill('7');
  await button(page, 'Save').click();
  await says(page, 'Oat was saved.');
  await shopping.reload();
  await shopping.locator('.card', { hasText: 'Oat' }).getByText('Only 7 left').waitFor();

  await button(page, 'Delete Oat').click();
  await button(page, 'Delete').click();
  await says(page, 'Oat was deleted.');
  await button(page, 'Delete Oat').waitFor({ state: 'detached' });
  assert.equal(left()[id], undefined);
});

test('an order that comes between is not lost by an edit of the stock', async (t) => {
  const page = await signIn(t, browser, 'admin', '/stock');
  await button(page, 'Edit Chocolate Chip').click();
  const shopping = await checkout(t, browser, customer(), { 'Chocolate Chip': 5 });
  await placeOrder(shopping).click();
  await heading(shopping, 'Your order is confirmed');
  await page.getByRole('dialog').getByLabel('Stock').fill('150');
  await button(page, 'Save').click();
  await says(page, 'The stock has changed from 100 to 95 meanwhile.');
  assert.equal(left()[3], 95);
  await page.getByRole('dialog').getByLabel('Stock').fill('145');
  await button(page, 'Save').click();
  await says(page, 'Chocolate Chip was saved.');
  assert.equal(left()[3], 145);
});

test('an employee sees orders and looks up a product; the API refuses all else', async (t) => {
  const page = await signIn(t, browser, 'employee', '/stock');
  assert.equal(await page.locator('.staff-bar small').textContent(), 'Employee');
  await page.getByLabel('Number of the product').fill('2');
  await button(page, 'Look up').click();
  await says(page, 'Half and Half: 100 in stock.');
  await page.getByRole('link', { name: 'Orders' }).click();
  await page.locator('table, .empty').first().waitFor();

  const [{ access_token: token }] = page.tokens;
  assert.equal((await call('/staff/products/2', token)).status, 200);
  const product = { product_name: 'Free', description: '', price: '0.01', inventory_count: 1, image: 'cookie.svg' };
  for (const [method, path, body] of [['GET', '/staff/products'], ['POST', '/staff/products', { id: 'free', ...product }], ['PUT', '/staff/products/2', product], ['DELETE', '/staff/products/2']]) {
    const response = await call(path, token, method, body);
    assert.deepEqual([response.status, (await response.json()).reason], [403, 'forbidden'], `${method} ${path}`);
  }
  assert.deepEqual(left(), { 1: 100, 2: 100, 3: 100, 4: 100 });
});

test('the API refuses a person who is no longer an administrator', async (t) => {
  const page = await open(t, browser, '/stock');
  // The page believes it: its ID token is replaced. The access token is the employee's.
  await route(page, 'auth/exchange', async (it) => {
    const response = await it.fetch();
    const tokens = await response.json();
    const claims = { email: 'employee@example.com', 'cognito:groups': ['admin'] };
    await it.fulfill({ response, json: { ...tokens, id_token: jwt(claims) } });
  });
  await enterPassword(page, 'employee');
  await says(page, 'The stock could not be loaded: only administrators may do this.');
});

test('a wrong password does not sign in', async (t) => {
  const page = await open(t, browser, '/orders');
  await enterPassword(page, 'admin', 'wrong');
  await page.getByText('Incorrect username or password.').waitFor();
  assert.deepEqual(await page.context().cookies(url), []);
});

test('no token is in the storage, the address, the history or the text of the page, and no script reads the cookie', async (t) => {
  const page = await signIn(t, browser, 'admin');
  await page.locator('table, .empty').first().waitFor();
  const [cookie] = await page.context().cookies(url);
  const { name, httpOnly, secure, sameSite, path } = cookie;
  assert.deepEqual({ name, httpOnly, secure, sameSite, path }, { name: COOKIE, httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
  const seen = await page.evaluate(() => [document.cookie, location.href, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), JSON.stringify(history.state), document.documentElement.outerHTML].join('\n'));
  const [{ access_token, id_token, ...rest }] = page.tokens;
  for (const secret of [access_token, id_token, cookie.value]) {
    for (const part of secret.split('.').filter((it) => it.length > 20)) assert.ok(!seen.includes(part));
  }
  assert.deepEqual(Object.keys(rest).sort(), ['expires_in', 'token_type']);
  assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage })), '{"crumb-street-signed-in":"yes"}');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('the access token expires: it is refreshed by the cookie, once, and an administrator stays one', async (t) => {
  const page = await signIn(t, browser, 'admin', '/stock', { before: (page) => page.clock.install() });
  await button(page, 'Edit Chocolate Chip').waitFor();
  await page.clock.fastForward('15:00');
  await button(page, 'Edit Chocolate Chip').click();
  await button(page, 'Save').click();
  await says(page, 'Chocolate Chip was saved.');
  assert.deepEqual(page.sent.filter((it) => it.includes('auth')), ['POST /auth/refresh', 'POST /auth/exchange', 'POST /auth/refresh']);
  assert.notEqual(page.tokens[0].access_token, page.tokens[1].access_token);
  assert.equal(await page.locator('.staff-bar small').textContent(), 'Administrator');
  await page.reload();
  await button(page, 'Edit Chocolate Chip').waitFor();
});

test('an access token that the API refuses is refreshed, and the call repeated', async (t) => {
  const page = await signIn(t, browser, 'employee', '/reports');
  await route(page, 'orders', (it) => it.continue({ headers: { ...it.request().headers(), authorization: `Bearer ${page.tokens[0].id_token}` } }), 1);
  await page.getByRole('link', { name: 'Orders' }).click();
  await page.locator('table, .empty').first().waitFor();
  assert.deepEqual(page.sent.slice(-3), ['GET /orders', 'POST /auth/refresh', 'GET /orders']);
});

test('signing out ends the session of the API and that of the user pool', async (t) => {
  const page = await signIn(t, browser, 'admin');
  await page.locator('table, .empty').first().waitFor();
  const [cookie] = await page.context().cookies(url);
  await button(page, 'Sign out').click();
  await heading(page, 'You are signed out');
  assert.equal(page.url(), `${url}/signed-out`);
  assert.deepEqual(await page.context().cookies(url), []);
  await page.goBack();
  await button(page, 'Sign in').waitFor();
  assert.equal(await page.locator('tbody').count(), 0);
  // A copy of the cookie opens nothing either.
  await page.context().addCookies([cookie]);
  await page.reload();
  await button(page, 'Sign in').waitFor();
  assert.deepEqual(await page.context().cookies(url), []);
  await button(page, 'Sign in').click();
  await page.getByLabel('Password').waitFor();
});
