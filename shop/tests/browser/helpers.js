// What the tests share: the deployment that `shop/up` made, a browser, and pages whose errors fail their test.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

/** The outputs of the stack, the address of its API and of the emulator. */
export const shop = JSON.parse(readFileSync(process.env.SHOP_JSON ?? new URL('../../.up/shop.json', import.meta.url)));
export const url = shop.SiteUrl;

/** Calls the emulator, as the root user of its account. */
function aws(service, path, ...options) {
  const signature = ['--aws-sigv4', `aws:amz:us-east-1:${service}`, '--user', 'test:test'];
  const text = execFileSync('curl', ['-sS', '--fail-with-body', ...signature, ...options, shop.endpoint + path], { encoding: 'utf8' });
  return JSON.parse(text || '{}');
}

const dynamodb = (action, input) => aws('dynamodb', '/', '-H', `X-Amz-Target: DynamoDB_20120810.${action}`,
  '-H', 'Content-Type: application/x-amz-json-1.0', '-d', JSON.stringify(input));

const SEED = JSON.parse(readFileSync(new URL('../../seed/products.json', import.meta.url)));

/** Puts these members of products of the seed into the table, and all others as they were seeded. */
export function stock(changes = {}) {
  for (const product of SEED) {
    const item = Object.entries({ ...product, ...changes[product.id] })
      .map(([name, value]) => [name, typeof value === 'number' ? { N: String(value) } : { S: value }]);
    dynamodb('PutItem', { TableName: shop.ProductsTable, Item: Object.fromEntries(item) });
  }
}

/** Takes a product out of the table. */
export const remove = (id) => dynamodb('DeleteItem', { TableName: shop.ProductsTable, Key: { id: { S: id } } });

/** How many of each product are left. */
export const left = () => Object.fromEntries(dynamodb('Scan', { TableName: shop.ProductsTable }).Items
  .map((it) => [it.id.S, Number(it.inventory_count.N)]));

/** The orders of a customer, as `status total`, sorted. */
export const orders = (name) => dynamodb('Scan', { TableName: shop.OrdersTable }).Items
  .filter((it) => it.customer_name.S === name).map((it) => `${it.status.S} ${it.total_cents.N}`).sort();

/** What a checkout token lives by default, in seconds. */
const LIFETIME = 1800;

/** Lets new checkout tokens live this long until the test `t` has ended. */
export function tokensLive(t, seconds) {
  const { Functions: all } = aws('lambda', '/2015-03-31/functions/');
  const { FunctionName: name, Environment: { Variables: before } } = all.find((it) => it.FunctionName.includes('CheckoutTokenFunction'));
  const set = (seconds) => aws('lambda', `/2015-03-31/functions/${name}/configuration`, '-X', 'PUT',
    '-d', JSON.stringify({ Environment: { Variables: { ...before, TOKEN_TTL_SECONDS: String(seconds) } } }));
  t.after(() => set(LIFETIME));
  set(seconds);
}

/** The browser of a test file. */
export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  after(() => browser.close());
  return browser;
}

/** A status that is not a success appears in the console, and so does a lost reply. Nothing can keep them from there. */
const EXPECTED = /^Failed to load resource: (the server responded with a status of (4\d\d|50[23]) |net::ERR_(FAILED|ABORTED|INTERNET_DISCONNECTED))/;

/**
 * Opens a screen in a context of its own, which ends with the test `t`.
 *
 * A message of the console or an error of the script fails the test, unless `expects` matches it.
 */
export async function open(t, browser, path = '/', { before, expects, ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  watch(t, page, expects);
  t.after(() => context.close());
  await before?.(page);
  await page.goto(url + path);
  return page;
}

/** Fails the test if the page complains, and keeps in `page.sent` what it sends to the API, and in `page.unanswered` the number of requests that wait. */
export function watch(t, page, expects = /^$/) {
  page.setDefaultTimeout(15_000);
  const messages = [];
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  page.sent = [];
  page.unanswered = 0;
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    page.unanswered++;
    if (pathname.startsWith('/api/')) page.sent.push(`${request.method()} ${pathname.slice(4).replace(/[\da-f-]{36}/, 'ID')}`);
  });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, () => page.unanswered--);
  t.after(() => assert.deepEqual(messages.filter((it) => !EXPECTED.test(it) && !expects.test(it)), []));
}

/** How each screen is looked at: the options of its context by a name. */
export const LOOKS = [['wide', 1200, 'light'], ['small', 320, 'light'], ['dark', 1200, 'dark'], ['small-dark', 320, 'dark']]
  .map(([name, width, colorScheme]) => [name, { viewport: { width, height: 900 }, colorScheme, bypassCSP: true }]);

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Fails if axe finds something, something is cut off, or a target is too small. With SHOTS, a picture is saved there. */
export async function inspect(page, state) {
  await page.waitForSelector('h1');
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${state}.png`, fullPage: true });
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe);
  const { violations } = await page.evaluate((rules) => window.axe.run({ runOnly: rules }), RULES);
  assert.deepEqual(violations.map((it) => [it.id, it.nodes.map((it) => it.html)]), [], state);
  assert.equal(await page.locator('h1').count(), 1, state);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${state}: it scrolls sideways`);
  const wide = await page.$$eval('#root *', (all) => all.filter((it) => it.getBoundingClientRect().right > innerWidth).map((it) => it.outerHTML.slice(0, 80)));
  assert.deepEqual(wide, [], state);
  const small = await page.$$eval('button, input, .button, nav a, footer a, .rows a, .brand', (all) => all.filter((it) => it.offsetParent && it.offsetHeight < 44).map((it) => it.outerHTML));
  assert.deepEqual(small, [], state);
}

/** How often the page has sent this. */
export const count = (page, request) => page.sent.filter((it) => it === request).length;

/** Waits for a heading. */
export const heading = (page, text) => page.waitForSelector(`h1:text-is("${text}")`);

/** Waits for a message, which a screen reader announces too. */
export const says = (page, text) => page.locator('[role=status]', { hasText: text }).first().waitFor({ state: 'attached' });

/** Fills the cart: quantities by the product's name. */
export async function fill(page, cart) {
  for (const [name, quantity] of Object.entries(cart)) await page.getByLabel(`Quantity of ${name}`).fill(String(quantity));
}

/** Fills in the form, for a customer of this name. */
export async function introduce(page, name) {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Email').fill('ada@example.com');
  await page.getByLabel('Phone').fill('+44 20 7946 0958');
}

/** Follows a link to the checkout, and waits until the products are loaded again: it does not know of later changes. */
export async function goToCheckout(page, link = 'Checkout') {
  const loaded = page.waitForResponse('**/api/products');
  await page.getByRole('link', { name: link }).click();
  await loaded;
}

/** Goes with a cart to the checkout, and fills in the form. */
export async function checkout(t, browser, name, cart = { 'Chocolate Chip': 2 }, options) {
  const page = await open(t, browser, '/', options);
  await fill(page, cart);
  await goToCheckout(page);
  await introduce(page, name);
  return page;
}

export const placeOrder = (page) => page.getByRole('button', { name: 'Place order' });

let customers = 0;
/** A name that no other order has. */
export const customer = () => `Ada ${process.pid}-${customers++}`;

/** What is left of the checkout in the tab. */
export const remembered = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem('crumb-street') ?? '{}'));

/** What is left of the checkout in the tab, as soon as it has a token. */
export async function rememberedWithToken(page) {
  await page.waitForFunction(() => JSON.parse(sessionStorage.getItem('crumb-street') ?? '{}').checkout);
  return remembered(page);
}

/** Waits until the checkout token of the page has expired. */
export async function expiry(page) {
  const { checkout: { token } } = await rememberedWithToken(page);
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  await page.waitForTimeout(Math.max(0, exp * 1000 - Date.now()) + 100);
}

/** Lets time pass faster in a page whose clock is installed, but not while it waits for an answer. */
export async function hurry(page, seconds) {
  for (let passed = 0; passed < seconds; passed += 5) {
    do await page.waitForTimeout(50); while (page.unanswered > 0);
    await page.clock.runFor(5000);
  }
}

/** Answers each request to `path` with `answer`, or as the function `answer` does; the first `times` of them. */
export const route = (page, path, answer, times) => page.route(`**/api/${path}`, (it) =>
  typeof answer === 'function' ? answer(it) : it.fulfill(answer), times && { times });

/** An answer of the API. */
export const json = (status, body) => ({ status, contentType: 'application/json', body: JSON.stringify(body) });

/** A refusal of the API. */
export const refusal = (status, reason, message = 'No') => json(status, { message, reason, requestId: 'r-1' });

/** A JWT with these claims. The page reads it; only the API would verify it. */
export const jwt = (claims) => ['{}', JSON.stringify(claims), ''].map((it) => Buffer.from(it).toString('base64url')).join('.');

export const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Signs in on the page of the user pool, to which a staff screen leads. */
export async function enterPassword(page, role, password) {
  const email = `${role}@example.com`;
  const passwords = JSON.parse(readFileSync(new URL('../../.up/staff.json', import.meta.url)));
  await button(page, 'Sign in').click();
  await page.getByLabel('Username').fill(email);
  await page.getByLabel('Password').fill(password ?? passwords[email]);
  await button(page, 'Sign in').click();
}

/** Opens a staff screen, signs in, and comes back to the screen; `page.tokens` are those it got since. */
export async function signIn(t, browser, role, path = '/orders', options) {
  const page = await open(t, browser, path, options);
  page.tokens = [];
  page.on('response', async (response) => {
    if (/\/auth\/(exchange|refresh)$/.test(response.url()) && response.ok()) page.tokens.push(await response.json());
  });
  await enterPassword(page, role);
  await page.locator('.staff-bar').waitFor();
  assert.equal(page.url(), url + path);
  return page;
}

/** The answer to a sign-in or a refresh, by which an administrator or an employee is signed in. */
export const session = (role, members) => json(200, {
  access_token: 'access-1', expires_in: 900, token_type: 'Bearer',
  id_token: jwt({ email: `${role}@example.com`, ...role === 'admin' && { 'cognito:groups': ['admin'] } }), ...members,
});

/** Opens a screen for someone who is signed in; `replaced` are answers by their path, or functions that answer. */
export const openAs = (t, browser, role, path, replaced = {}, options = {}) => open(t, browser, path, {
  ...options,
  before: async (page) => {
    await route(page, 'auth/refresh', session(role));
    for (const [path, answer] of Object.entries(replaced)) await route(page, path, answer);
  },
});

/** Lets the request reach the server, and loses the reply, which only the test gets. */
export async function loseReply(it) {
  const reply = await it.fetch();
  await it.abort();
  return reply;
}
