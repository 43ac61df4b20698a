// What each screen of the staff says in each state; the API's answers are replaced.

import assert from 'node:assert/strict';
import test from 'node:test';
import { button, count, heading, hurry, inspect, json, jwt, launch, LOOKS, open, openAs, refusal, route, says, session, shop, url } from './helpers.js';

const browser = await launch();
const ID = '00000000-0000-4000-8000-000000000000';
const DOWN = refusal(503, 'unavailable');

// --- signing in ---

/** Lets the user pool's pages be empty ones, and collects their addresses in `page.left`. */
async function stayHere(page) {
  page.left = [];
  await page.route(`${shop.SignInUrl}/**`, (it) => {
    page.left.push(new URL(it.request().url()));
    return it.fulfill({ contentType: 'text/html', body: '<title>user pool</title>' });
  });
}

/** Begins a sign-in on a screen and comes back to the callback with these parameters. */
async function comeBack(t, { exchange, parameters = ({ state }) => ({ code: 'the-code', state }), path = '/orders' }) {
  const page = await open(t, browser, path, { before: async (page) => {
    await stayHere(page);
    await route(page, 'auth/refresh', refusal(401, 'signed_out'));
    await route(page, 'auth/exchange', exchange);
    await route(page, 'orders', json(200, { orders: [] }));
  } });
  await button(page, 'Sign in').click();
  await page.waitForURL(`${shop.SignInUrl}/**`);
  const query = Object.fromEntries(page.left[0].searchParams);
  await page.goto(`${url}/callback?${new URLSearchParams(parameters(query))}`);
  return { page, query };
}

test('a staff screen without a session loads nothing and offers to sign in', async (t) => {
  for (const path of ['/orders', `/orders/${ID}`, '/stock', '/reports']) {
    const page = await open(t, browser, path, { before: (page) => route(page, 'auth/refresh', refusal(401, 'signed_out')) });
    await page.getByText('This page is for the people who work here.').waitFor();
    await button(page, 'Sign in').waitFor();
    assert.deepEqual(page.sent, ['POST /auth/refresh']);
    assert.equal(await button(page, 'Sign out').count(), 0);
  }
});

test('signing in goes to the user pool with a challenge and a state, and comes back to the screen', async (t) => {
  let sent;
  const { page, query } = await comeBack(t, { path: '/orders?from=mail', exchange: (it) => { sent = it.request().postDataJSON(); return it.fulfill(session('admin')); } });
  await page.getByText('There are no orders yet.').waitFor();
  const { state, code_challenge: challenge, ...rest } = query;
  assert.deepEqual(rest, { client_id: shop.ClientId, response_type: 'code', redirect_uri: `${url}/callback`, scope: 'openid email', code_challenge_method: 'S256' });
  assert.match(state, /^[\w-]{22}$/);
  assert.equal(sent.code, 'the-code');
  assert.match(sent.code_verifier, /^[\w-]{43}$/);
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sent.code_verifier));
  assert.equal(challenge, Buffer.from(hash).toString('base64url'));
  assert.equal(page.url(), `${url}/orders?from=mail`);
  assert.equal(count(page, 'POST /auth/exchange'), 1);
  assert.equal(await page.evaluate(() => sessionStorage.getItem('crumb-street-sign-in')), null);
});

test('a sign-in that fails says why, and can begin again', async (t) => {
  const refused = 'the sign-in was refused, or took too long';
  for (const [exchange, parameters, text, sends] of [
    [undefined, ({ state }) => ({ error: 'access_denied', state }), refused, 0],
    [refusal(401, 'invalid_grant'), undefined, refused, 1],
    [refusal(400, 'invalid_request'), undefined, refused, 1],
    [DOWN, undefined, 'the shop does not answer', 1],
    [(it) => it.abort(), undefined, 'the shop does not answer', 1],
    [json(200, { access_token: 1 }), undefined, 'the shop does not answer', 1],
    [session('admin'), () => ({ code: 'the-code', state: 'another' }), 'was not begun in this tab', 0],
    [session('admin'), () => ({ code: 'the-code' }), 'was not begun in this tab', 0],
  ]) {
    const { page } = await comeBack(t, { exchange, ...parameters && { parameters } });
    await says(page, text);
    assert.equal(count(page, 'POST /auth/exchange'), sends);
    assert.equal(page.url(), `${url}/callback`);
    await button(page, 'Sign in').click();
    await page.waitForURL(`${shop.SignInUrl}/**`);
    assert.equal(page.left.length, 2);
  }
});

test('the address of a callback works once, in the tab that began it', async (t) => {
  for (const path of ['/callback', '/callback?code=a&state=b', '/callback?code=a&state=undefined']) {
    const page = await open(t, browser, path);
    await says(page, 'was not begun in this tab, or it has ended already');
    assert.deepEqual(page.sent, []);
    assert.equal(page.url(), `${url}/callback`);
  }
});

test('/signin leads to the user pool at once', async (t) => {
  const page = await open(t, browser, '/signin', { before: stayHere });
  await page.waitForURL(`${shop.SignInUrl}/oauth2/authorize?**`);
});

test('without a user pool the shop is open, and a staff screen says that signing in is not set up', async (t) => {
  const before = async (page) => {
    await page.route('**/config.json', (it) => it.fulfill(json(200, { apiUrl: '/api' })));
    await route(page, 'auth/refresh', refusal(401, 'signed_out'));
  };
  const page = await open(t, browser, '/signin', { before });
  await page.getByText('Signing in is not set up for this page.').waitFor();
  await page.getByRole('link', { name: 'Cookies', exact: true }).click();
  await page.getByRole('heading', { name: 'Chocolate Chip' }).waitFor();
});

test('a page that is opened under another name moves to the one that the user pool knows', async (t) => {
  const page = await open(t, browser, '/');
  await page.goto(`${url.replace('localhost', '127.0.0.1')}/about?a=b`);
  await page.waitForURL(`${url}/about?a=b`);
  await heading(page, 'About Crumb Street');
});

test('an API that does not answer is not a signed-out user', async (t) => {
  for (const answer of [DOWN, (it) => it.abort(), json(200, {}), json(403, { message: 'Forbidden' })]) {
    const page = await open(t, browser, '/orders', { before: (page) => route(page, 'auth/refresh', answer, 1) });
    await says(page, 'The shop does not answer.');
    assert.equal(await button(page, 'Sign in').count(), 0);
    await route(page, 'auth/refresh', session('employee'));
    await route(page, 'orders', json(200, { orders: [] }));
    await button(page, 'Try again').click();
    await page.getByText('There are no orders yet.').waitFor();
  }
});

test('the header shows who is signed in, on each screen and after a reload', async (t) => {
  for (const [role, text] of [['admin', 'admin@example.com Administrator'], ['employee', 'employee@example.com Employee']]) {
    const page = await openAs(t, browser, role, '/reports');
    const who = page.locator('.staff-bar p');
    assert.equal(await who.textContent(), text);
    await page.getByRole('link', { name: 'Cookies', exact: true }).click();
    assert.equal(await who.textContent(), text);
    await page.reload();
    assert.equal(await who.textContent(), text);
  }
});

test('customers are not asked whether they work here', async (t) => {
  const page = await open(t, browser);
  await page.getByRole('heading', { name: 'Chocolate Chip' }).waitFor();
  assert.deepEqual(page.sent, ['GET /products']);
});

test('an access token that the API refuses is replaced once, by one refresh for all calls', async (t) => {
  let tokens = 0;
  const page = await openAs(t, browser, 'admin', '/orders', {
    'auth/refresh': (it) => it.fulfill(session('admin', { access_token: `access-${++tokens}` })),
    'orders*': (it) => it.fulfill(it.request().headers().authorization === 'Bearer access-1' ? refusal(401, 'unauthorized') : json(200, { orders: [] })),
  });
  await page.getByText('There are no orders yet.').waitFor();
  assert.deepEqual(page.sent, ['POST /auth/refresh', 'GET /orders', 'POST /auth/refresh', 'GET /orders']);
  // An API that refuses the new one too is not asked for ever.
  await page.unroute('**/api/orders*');
  await route(page, 'orders*', refusal(401, 'unauthorized'));
  await page.reload();
  await says(page, 'The orders could not be loaded');
  assert.equal(tokens, 4);
});

test('an access token is replaced half a minute before it ends', async (t) => {
  let tokens = 0;
  const seen = [];
  const page = await open(t, browser, '/stock', { before: async (page) => {
    await page.clock.install();
    await route(page, 'auth/refresh', (it) => it.fulfill(session('employee', { access_token: `access-${++tokens}`, expires_in: 900 })));
    await route(page, 'staff/products/1', (it) => { seen.push(it.request().headers().authorization); return it.fulfill(refusal(404, 'not_found')); });
  } });
  await page.getByLabel('Number of the product').fill('1');
  for (const [passed, token] of [[0, 1], [865, 1], [10, 2], [865, 2], [10, 3]]) {
    await page.clock.fastForward(passed * 1000);
    const looked = page.waitForResponse('**/staff/products/1');
    await button(page, 'Look up').click();
    await looked;
    await says(page, 'there is no such number');
    assert.equal(seen.pop(), `Bearer access-${token}`, `${passed} s later`);
  }
});

test('a session that has ended leads to the sign-in', async (t) => {
  const page = await openAs(t, browser, 'employee', '/orders', { 'orders*': json(200, { orders: [] }) });
  await page.getByText('There are no orders yet.').waitFor();
  await route(page, 'auth/refresh', refusal(401, 'signed_out'));
  await route(page, `orders/${ID}`, refusal(401, 'unauthorized'));
  await page.evaluate((id) => history.pushState(null, '', `/orders/${id}`), ID);
  await button(page, 'Sign in').waitFor();
  assert.equal(await button(page, 'Sign out').count(), 0);
});

test('signing out ends the session of the API, then that of the user pool, in every tab', async (t) => {
  const page = await openAs(t, browser, 'admin', '/reports', { 'auth/logout': json(200, { status: 'success' }) });
  await stayHere(page);
  await button(page, 'Create the reports').waitFor();
  const other = await page.context().newPage();
  await route(other, 'auth/refresh', session('admin'));
  await other.goto(`${url}/reports`);
  await button(other, 'Create the reports').waitFor();
  await button(page, 'Sign out').click();
  await page.waitForURL(`${shop.SignInUrl}/logout?**`);
  assert.deepEqual(Object.fromEntries(page.left[0].searchParams), { client_id: shop.ClientId, logout_uri: `${url}/signed-out` });
  assert.deepEqual(page.sent.slice(-1), ['POST /auth/logout']);
  await button(other, 'Sign in').waitFor();
  assert.equal(await other.locator('.staff-bar').count(), 0);
  await page.goto(`${url}/signed-out`);
  await heading(page, 'You are signed out');
  assert.deepEqual(page.sent.slice(-1), ['POST /auth/logout']);
});

test('a sign-out that does not reach the API says that the user is still signed in', async (t) => {
  const page = await openAs(t, browser, 'admin', '/reports', { 'auth/logout': (it) => it.abort() });
  await button(page, 'Sign out').click();
  await page.getByRole('alert').getByText('You are still signed in: the shop does not answer.').waitFor();
  assert.equal(page.url(), `${url}/reports`);
  await page.locator('.staff-bar').waitFor();
});

test('a staff screen whose file is missing can be loaded again', async (t) => {
  const page = await open(t, browser, '/orders', { expects: /Failed to fetch dynamically/, before: async (page) => {
    await page.route('**/assets/staff-*.js', (it) => it.abort(), { times: 1 });
    await route(page, 'auth/refresh', refusal(401, 'signed_out'));
  } });
  await heading(page, 'The shop is closed for a moment');
  await button(page, 'Try again').click();
  await button(page, 'Sign in').waitFor();
});

// --- orders ---

const order = (n, members) => ({
  id: `${String(n).padStart(8, '0')}${ID.slice(8)}`, status: 'confirmed', customer_name: `Customer ${n}`, email: 'c@example.com', phone: '+1 555 0100',
  total_amount: '17.00', order_time: '2026-11-26T14:05:00Z', ordered_items: [
    { product_id: '1', product_name: 'Peanut Chocolate', quantity: 3, amount: '6.00' },
    { product_id: 'gone', product_name: 'Half and Half', quantity: 2, amount: '6.00' },
    { product_id: '3', product_name: 'Chocolate Chip', quantity: 5, amount: '5.00' },
  ], ...members,
});

test('orders are listed with their status, and older ones are added', async (t) => {
  const page = await openAs(t, browser, 'employee', '/orders', {
    orders: json(200, { orders: [order(1), order(2, { status: 'rejected', reason: 'out_of_stock' })], next: 'a+b/c=' }),
    'orders?before=a%2Bb%2Fc%3D': json(200, { orders: [order(3, { status: 'pending' }), order(4, { status: 'pending', order_time: new Date().toISOString() })] }),
  }, { timezoneId: 'America/New_York' });
  const rows = page.locator('tbody tr');
  assert.equal(await rows.nth(0).innerText().then((it) => it.replace(/\s+/g, ' ')), 'Customer 1 00000001 Nov 26, 2026, 9:05 AM 10 cookies $17.00 Confirmed');
  assert.equal(await rows.nth(1).locator('.status').textContent(), 'Rejected: sold out');
  assert.equal(await rows.count(), 2);
  await button(page, 'Older orders').click();
  await says(page, '4 orders are shown.');
  assert.deepEqual(await page.locator('.status').allTextContents(), ['Confirmed', 'Rejected: sold out', 'Stuck', 'Pending']);
  assert.equal(await button(page, 'Older orders').count(), 0);
});

test('older orders that cannot be loaded can be tried again, and the others stay', async (t) => {
  const page = await openAs(t, browser, 'employee', '/orders', {
    orders: json(200, { orders: [order(1)], next: 'next' }), 'orders?before=next': DOWN,
  });
  await button(page, 'Older orders').click();
  await says(page, 'The older orders could not be loaded: the shop does not answer.');
  assert.equal(await page.locator('tbody tr').count(), 1);
  await route(page, 'orders?before=next', json(200, { orders: [order(2)] }));
  await button(page, 'Older orders').click();
  await says(page, '2 orders are shown.');
});

test('orders that cannot be loaded can be tried again', async (t) => {
  for (const answer of [DOWN, (it) => it.abort(), json(200, {}), json(200, { orders: [{ id: '1' }] }), json(200, { orders: [order(1, { total_amount: 17 })] })]) {
    const page = await openAs(t, browser, 'employee', '/orders', { orders: answer });
    await says(page, 'The orders could not be loaded: the shop does not answer.');
    await route(page, 'orders', json(200, { orders: [] }));
    await button(page, 'Try again').click();
    await page.getByText('There are no orders yet.').waitFor();
  }
});

test('an order shows its customer, its lines with their pictures, and its total', async (t) => {
  const page = await openAs(t, browser, 'employee', `/orders/${ID}`, { [`orders/${ID}`]: json(200, order(0)) });
  await heading(page, 'Order 00000000');
  await page.locator('dd', { hasText: 'Customer 0' }).waitFor();
  assert.deepEqual(await page.locator('dd').allTextContents().then((all) => all.filter((_, i) => i !== 1)), ['Confirmed', 'Customer 0', 'c@example.com', '+1 555 0100', ID]);
  assert.equal(await page.textContent('.lines tfoot td'), '$17.00');
  await page.waitForFunction(() => document.querySelector('.lines img').src.endsWith('/images/peanut-chocolate.svg'));
  assert.deepEqual(await page.$$eval('.lines img', (all) => all.map((it) => new URL(it.src).pathname)), ['/images/peanut-chocolate.svg', '/images/cookie.svg', '/images/chocolate-chip.svg']);
  await route(page, 'orders', json(200, { orders: [] }));
  await page.getByRole('link', { name: 'All orders' }).click();
  await heading(page, 'Orders');
});

test('an order that does not exist, cannot be loaded, or is stuck', async (t) => {
  const missing = await openAs(t, browser, 'employee', '/orders/nope', { 'orders/nope': refusal(404, 'not_found') });
  await says(missing, 'The order could not be loaded: there is no such number.');
  assert.equal(await button(missing, 'Try again').count(), 0);
  const down = await openAs(t, browser, 'employee', '/orders/1', { 'orders/1': DOWN });
  await says(down, 'The order could not be loaded: the shop does not answer.');
  await route(down, 'orders/1', json(200, order(1, { status: 'pending' })));
  await button(down, 'Try again').click();
  await down.getByText('The shop has given up on this order.').waitFor();
});

test('markup in an order is shown as text', async (t) => {
  const evil = '<img src=x onerror=alert(1)>';
  const page = await openAs(t, browser, 'employee', '/orders/1', { 'orders/1': json(200, order(1, { customer_name: evil, email: 'javascript:alert(1)' })) });
  await page.getByText(evil).waitFor();
  assert.equal(await page.locator('img[src=x]').count(), 0);
  assert.equal(await page.locator('a[href^=javascript]').count(), 0);
});

// --- the stock ---

const product = (members) => ({ id: '1', product_name: 'Peanut Chocolate', description: 'Nuts.', price: '2.00', inventory_count: 100, image: 'peanut-chocolate.svg', ...members });
const SHELF = { 'staff/products': json(200, { products: [product(), product({ id: '2', product_name: 'Half and Half', inventory_count: 0 })] }) };

/** Fills in the form of the dialog, by label. */
const enter = async (page, values) => {
  for (const [label, value] of Object.entries(values)) await page.getByRole('dialog').getByLabel(label).fill(value);
};

test('an administrator sees all products; a product that is edited is sent whole, with the stock that was seen', async (t) => {
  let sent;
  const page = await openAs(t, browser, 'admin', '/stock', { ...SHELF, 'staff/products/1': (it) => { sent = it.request(); return it.fulfill(json(200, product())); } });
  await button(page, 'Edit Peanut Chocolate').waitFor();
  assert.deepEqual(await page.locator('tbody td:nth-child(2)').allTextContents(), ['100 in stock', 'Out of stock']);
  await button(page, 'Edit Peanut Chocolate').click();
  await enter(page, { Description: ' Roasted. ', Price: '2.5', Stock: '150' });
  await button(page, 'Save').click();
  await says(page, 'Peanut Chocolate was saved.');
  assert.equal(sent.method(), 'PUT');
  assert.deepEqual(sent.postDataJSON(), { product_name: 'Peanut Chocolate', description: 'Roasted.', price: '2.50', inventory_count: 150, image: 'peanut-chocolate.svg', if_inventory_count: 100 });
  assert.equal(count(page, 'GET /staff/products'), 2);
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Edit Peanut Chocolate');
});

test('an order that came between is said with the new stock, and saving again has it', async (t) => {
  const sent = [];
  const page = await openAs(t, browser, 'admin', '/stock', { ...SHELF, 'staff/products/1': (it) => {
    if (it.request().method() === 'GET') return it.fulfill(json(200, product({ inventory_count: 97 })));
    sent.push(it.request().postDataJSON());
    return it.fulfill(sent.length % 2 ? refusal(409, 'stock_changed') : json(200, product()));
  } });
  for (const [typed, shown] of [['100', '97'], ['150', '150']]) {
    await button(page, 'Edit Peanut Chocolate').click();
    await enter(page, { Stock: typed });
    await button(page, 'Save').click();
    await says(page, 'The stock has changed from 100 to 97 meanwhile. Nothing was saved');
    assert.equal(await page.getByRole('dialog').getByLabel('Stock').inputValue(), shown);
    await button(page, 'Save').click();
    await says(page, 'Peanut Chocolate was saved.');
    assert.deepEqual(sent.slice(-2).map((it) => [it.inventory_count, it.if_inventory_count]), [[Number(typed), 100], [Number(shown), 97]]);
  }
});

test('a change whose answer is lost was saved, and is not taken for that of another', async (t) => {
  const sent = [];
  const page = await openAs(t, browser, 'admin', '/stock', { ...SHELF, 'staff/products/1': (it) => {
    if (it.request().method() === 'GET') return it.fulfill(json(200, product({ inventory_count: 150 })));
    sent.push(it.request().postDataJSON());
    return sent.length === 1 ? it.abort() : it.fulfill(refusal(409, 'stock_changed'));
  } });
  await button(page, 'Edit Peanut Chocolate').click();
  await enter(page, { Stock: '150' });
  await button(page, 'Save').click();
  await says(page, 'Peanut Chocolate could not be saved: the shop does not answer.');
  await button(page, 'Save').click();
  await says(page, 'Peanut Chocolate was saved.');
  assert.deepEqual(sent.map((it) => it.if_inventory_count), [100, 100]);
});

test('a product is added once, also when the answer to the first request is lost and it is then edited', async (t) => {
  const sent = [];
  let stored;
  const page = await openAs(t, browser, 'admin', '/stock', {
    'staff/products': (it) => {
      if (it.request().method() === 'GET') return it.fulfill(json(200, { products: [] }));
      sent.push(it.request().postDataJSON());
      if (stored) return it.fulfill(refusal(409, 'exists'));
      stored = it.request().postDataJSON();
      return it.abort();
    },
    'staff/products/*': (it) => {
      if (it.request().method() === 'PUT') Object.assign(stored, it.request().postDataJSON());
      return it.fulfill(json(200, stored));
    },
  });
  await page.getByText('The shelf is empty.').waitFor();
  await button(page, 'Add a product').click();
  await enter(page, { Name: 'Oat', Price: '1', Stock: '12' });
  await button(page, 'Save').click();
  await says(page, 'Oat could not be saved: the shop does not answer.');
  const [{ id, ...rest }] = sent;
  assert.match(id, /^[\da-f-]{36}$/);
  assert.deepEqual(rest, { product_name: 'Oat', description: '', price: '1.00', inventory_count: 12, image: 'cookie.svg' });
  await enter(page, { Name: 'Oats' });
  await button(page, 'Save').click();
  await says(page, 'Oats was added.');
  assert.equal(sent[1].id, id);
  assert.deepEqual([stored.product_name, stored.if_inventory_count], ['Oats', 12]);
});

test('an added product whose change is refused is not taken for saved', async (t) => {
  const page = await openAs(t, browser, 'admin', '/stock', {
    'staff/products': (it) => it.fulfill(it.request().method() === 'GET' ? json(200, { products: [] }) : refusal(409, 'exists')),
    'staff/products/*': (it) => it.fulfill(it.request().method() === 'PUT' ? refusal(409, 'stock_changed') : json(200, product())),
  });
  await button(page, 'Add a product').click();
  await enter(page, { Name: 'Oat', Price: '1', Stock: '12' });
  await button(page, 'Save').click();
  await says(page, 'Oat could not be saved');
});

test('an invalid product is not sent; the first wrong field has the focus', async (t) => {
  const page = await openAs(t, browser, 'admin', '/stock', SHELF);
  await button(page, 'Add a product').click();
  for (const [values, wrong] of [
    [{ Name: ' ', Price: '0', Stock: '-1', Picture: 'http://x/a.png' }, ['name', 'price', 'stock', 'image']],
    [{ Name: 'x'.repeat(81), Description: 'x'.repeat(501), Price: '1.234', Stock: '1000001', Picture: 'a.gif' }, ['name', 'description', 'price', 'stock', 'image']],
    [{ Name: 'Oat', Description: '', Price: '100000', Stock: '1.5', Picture: 'a.png' }, ['price', 'stock']],
    [{ Price: 'two', Stock: '' }, ['price', 'stock']],
  ]) {
    await enter(page, values);
    await button(page, 'Save').click();
    assert.deepEqual(await page.$$eval('dialog [aria-invalid]', (all) => all.map((it) => it.id)), wrong);
    assert.equal(await page.evaluate(() => document.activeElement.id), wrong[0]);
  }
  await button(page, 'Cancel').click();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(count(page, 'POST /staff/products'), 0);
});

test('deleting is asked first, and the focus does not get lost', async (t) => {
  const page = await openAs(t, browser, 'admin', '/stock', { ...SHELF, 'staff/products/2': { status: 204 } });
  await button(page, 'Delete Half and Half').click();
  await page.getByRole('heading', { name: 'Delete Half and Half?' }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Delete Half and Half');
  await button(page, 'Delete Half and Half').click();
  await button(page, 'Keep it').click();
  assert.equal(count(page, 'DELETE /staff/products/2'), 0);
  await button(page, 'Delete Half and Half').click();
  await button(page, 'Delete').click();
  await says(page, 'Half and Half was deleted.');
  assert.equal(count(page, 'DELETE /staff/products/2'), 1);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Add a product');
});

test('what the API refuses is said plainly, and the form stays', async (t) => {
  for (const [answer, text] of [
    [refusal(403, 'forbidden'), 'only administrators may do this'],
    [refusal(400, 'invalid_request', '`price` must be over 0'), 'The shop says: `price` must be over 0'],
    [json(429, { message: 'Limit Exceeded', reason: 'invalid_request' }), 'there are too many requests'],
    [refusal(404, 'not_found'), 'there is no such number'],
    [DOWN, 'the shop does not answer'],
    [{ status: 502, body: '<html>' }, 'the shop does not answer'],
  ]) {
    const page = await openAs(t, browser, 'admin', '/stock', { ...SHELF, 'staff/products/1': answer });
    await button(page, 'Edit Peanut Chocolate').click();
    await enter(page, { Name: 'Peanut' });
    await button(page, 'Save').click();
    await says(page, `Peanut could not be saved`);
    await says(page, text);
    assert.equal(await page.getByRole('dialog').getByLabel('Name').inputValue(), 'Peanut');
    await button(page, 'Cancel').click();
    await button(page, 'Delete Peanut Chocolate').click();
    await button(page, 'Delete').click();
    await says(page, 'Peanut Chocolate could not be deleted');
    await says(page, text);
  }
});

test('a stock that cannot be loaded can be tried again; one that is forbidden cannot', async (t) => {
  const down = await openAs(t, browser, 'admin', '/stock', { 'staff/products': DOWN });
  await says(down, 'The stock could not be loaded: the shop does not answer.');
  await route(down, 'staff/products', SHELF['staff/products']);
  await button(down, 'Try again').click();
  await button(down, 'Edit Half and Half').waitFor();
  const forbidden = await openAs(t, browser, 'admin', '/stock', { 'staff/products': refusal(403, 'forbidden') });
  await says(forbidden, 'The stock could not be loaded: only administrators may do this.');
  assert.equal(await button(forbidden, 'Try again').count(), 0);
});

test('an employee looks up one product, and is offered no change', async (t) => {
  const page = await openAs(t, browser, 'employee', '/stock', { 'staff/products/1': json(200, product()), 'staff/products/9': refusal(404, 'not_found') });
  const number = page.getByLabel('Number of the product');
  for (const wrong of ['', 'a/b', 'x'.repeat(37)]) {
    await number.fill(wrong);
    await page.keyboard.press('Enter');
    await page.getByText('Enter the number of a product, such as 1.').waitFor();
    assert.equal(await number.getAttribute('aria-invalid'), 'true');
  }
  await number.fill('1');
  await page.keyboard.press('Enter');
  await says(page, 'Peanut Chocolate: 100 in stock.');
  assert.ok(await page.getByRole('heading', { name: 'Peanut Chocolate' }).isVisible());
  await number.fill('9');
  await page.keyboard.press('Enter');
  await says(page, 'there is no such number');
  assert.deepEqual(page.sent, ['POST /auth/refresh', 'GET /staff/products/1', 'GET /staff/products/9']);
  assert.equal(await page.getByRole('button', { name: /Add|Edit|Delete/ }).count(), 0);
});

// --- the reports ---

const ARN = 'arn:aws:states:us-east-1:1:execution:R:1';
const STATUS = `create-report/status/${encodeURIComponent(ARN)}`;
const URLS = `get-presigned-urls/${encodeURIComponent(ARN)}`;
const status = (status) => json(200, { status });

test('reports are created once a click, and each click on one opens a fresh address', async (t) => {
  const statuses = [status('RUNNING'), DOWN, status('SUCCEEDED')];
  let addresses = 0;
  const page = await openAs(t, browser, 'employee', '/reports', {
    'create-report': json(202, { executionArn: ARN }),
    [STATUS]: (it) => it.fulfill(statuses.length > 1 ? statuses.shift() : statuses[0]),
    [URLS]: (it) => it.fulfill(json(200, { urls: { orders: `${shop.endpoint}/o?${++addresses}`, products: `${shop.endpoint}/p?${++addresses}` }, expires_in: 300 })),
  });
  await page.route(`${shop.endpoint}/**`, (it) => it.fulfill({ contentType: 'text/html', body: '<h1>A report</h1>' }));
  await button(page, 'Create the reports').dblclick();
  await says(page, 'The reports are being created…');
  await says(page, 'The reports are ready.');
  assert.equal(count(page, 'POST /create-report'), 1);
  await button(page, 'Open the report on orders').click();
  await page.waitForURL(`${shop.endpoint}/o?1`);
  await page.goBack();
  // The other report is there without creating it again.
  await button(page, 'Open the report on products').click();
  await page.waitForURL(`${shop.endpoint}/p?4`);
  assert.equal(count(page, 'POST /create-report'), 1);
});

test('reports that fail, cannot be started, or cannot be opened', async (t) => {
  for (const answer of ['FAILED', 'TIMED_OUT', 'ABORTED']) {
    const page = await openAs(t, browser, 'employee', '/reports', { 'create-report': json(202, { executionArn: ARN }), [STATUS]: status(answer) });
    await button(page, 'Create the reports').click();
    await says(page, 'The reports could not be created. You can try again.');
    assert.equal(await button(page, 'Create the reports').getAttribute('aria-disabled'), 'false');
  }
  const down = await openAs(t, browser, 'employee', '/reports', { 'create-report': DOWN });
  await button(down, 'Create the reports').click();
  await says(down, 'The reports could not be created: the shop does not answer.');
  for (const answer of [refusal(409, 'not_ready'), DOWN, json(200, { urls: {} }), json(200, {})]) {
    const page = await openAs(t, browser, 'employee', '/reports', { 'create-report': json(202, { executionArn: ARN }), [STATUS]: status('SUCCEEDED'), [URLS]: answer });
    await button(page, 'Create the reports').click();
    await button(page, 'Open the report on orders').click();
    await says(page, 'The report could not be opened: the shop does not answer.');
  }
});

test('reports that take over two minutes can be asked for again', async (t) => {
  const page = await openAs(t, browser, 'employee', '/reports', { 'create-report': json(202, { executionArn: ARN }), [STATUS]: status('RUNNING') });
  await page.clock.install();
  await button(page, 'Create the reports').click();
  await hurry(page, 130);
  await says(page, 'The reports take longer than usual');
  await route(page, STATUS, status('SUCCEEDED'));
  await button(page, 'Ask again').click();
  await says(page, 'The reports are ready.');
});

// --- the mailed report ---

const MAILED = jwt({ jti: ID });

test('a mailed link does nothing by itself, and its token is nowhere to be seen', async (t) => {
  const requests = [];
  const page = await open(t, browser, `/report#${MAILED}`, { before: (page) => page.on('request', (it) => requests.push(it.url())) });
  await heading(page, 'A report for you');
  await page.waitForTimeout(500);
  assert.deepEqual(page.sent, []);
  assert.ok(requests.every((it) => !it.includes(MAILED.slice(0, 20)) || it === `${url}/report#${MAILED}`), requests.join());
  assert.equal(page.url(), `${url}/report`);
  assert.equal(await page.evaluate(() => location.hash + JSON.stringify({ ...localStorage, ...sessionStorage }) + JSON.stringify(history.state)), '{}null');
  assert.ok(!(await page.content()).includes(MAILED.slice(0, 20)));
});

test('a mailed link opens its report with a click', async (t) => {
  let sent;
  const page = await open(t, browser, `/report#${MAILED}`, { before: async (page) => {
    await route(page, 'report-link', (it) => { sent = it.request(); return it.fulfill(json(200, { url: `${shop.endpoint}/report.html`, expires_in: 60 })); });
    await page.route(`${shop.endpoint}/**`, (it) => it.fulfill({ contentType: 'text/html', body: '<h1>A report</h1>' }));
  } });
  await button(page, 'Open the report').dblclick();
  await page.waitForURL(`${shop.endpoint}/report.html`);
  assert.equal(sent.headers()['x-access-token'], MAILED);
  assert.equal(count(page, 'POST /report-link'), 1);
});

test('a mailed link that opens nothing says why', async (t) => {
  for (const [answer, text, isFinal] of [
    [json(401, { message: 'No', reason: 'already_used', usedAt: '2026-11-26T14:05:00Z' }), 'This link was used already, on Nov 26, 2026, 9:05 AM.', true],
    [refusal(401, 'already_used'), 'This link was used already. If', true],
    [refusal(401, 'expired'), 'This link no longer works.', true],
    [refusal(401, 'revoked'), 'This link no longer works.', true],
    [refusal(401, 'invalid_token'), 'This link does not open a report.', true],
    [DOWN, 'we do not know whether the link is used up', false],
    [json(429, { message: 'Too many' }), 'we do not know whether the link is used up', false],
    [(it) => it.abort(), 'we do not know whether the link is used up', false],
    [json(200, {}), 'we do not know whether the link is used up', false],
  ]) {
    const page = await open(t, browser, `/report#${MAILED}`, { timezoneId: 'America/New_York', before: (page) => route(page, 'report-link', answer) });
    await button(page, 'Open the report').click();
    await says(page, text);
    assert.equal(await button(page, 'Open the report').count(), isFinal ? 0 : 1);
    await page.getByRole('link', { name: 'Sign in to create reports' }).waitFor();
  }
});

test('without a token the page asks for the link of the mail, and a second link in the same tab is another report', async (t) => {
  const page = await open(t, browser, '/report', { before: (page) => route(page, 'report-link', refusal(401, 'expired')) });
  await page.getByText('Please follow the link in the mail').waitFor();
  assert.equal(await button(page, 'Open the report').count(), 0);
  await page.goto(`${url}/report#${MAILED}`);
  await button(page, 'Open the report').click();
  await says(page, 'This link no longer works.');
  assert.equal(page.url(), `${url}/report`);
  await page.goto(`${url}/report#${jwt({ jti: 'another' })}`);
  await button(page, 'Open the report').waitFor();
});

// --- all screens ---

for (const [name, look] of LOOKS) {
  test(`the staff's screens, ${name}: axe finds nothing, nothing is cut off, and every target is large enough`, async (t) => {
    const check = (page, state) => inspect(page, `${name}-staff-${state}`);
    const as = (role, path, replaced) => openAs(t, browser, role, path, replaced, look);

    const out = await open(t, browser, '/orders', { ...look, before: (page) => route(page, 'auth/refresh', refusal(401, 'signed_out')) });
    await button(out, 'Sign in').waitFor();
    await check(out, 'signed-out-of-orders');
    await out.goto(`${url}/callback`);
    await says(out, 'was not begun in this tab');
    await check(out, 'stray');
    await out.goto(`${url}/signed-out`);
    await heading(out, 'You are signed out');
    await check(out, 'signed-out');

    const long = order(3, { customer_name: 'Wolfeschlegelsteinhausenbergerdorff '.repeat(3).slice(0, 100), status: 'pending' });
    const all = [order(1), order(2, { status: 'rejected', reason: 'out_of_stock' }), long, order(4, { status: 'pending', order_time: new Date().toISOString() })];
    const orders = await as('employee', '/orders', { orders: json(200, { orders: all, next: 'next' }), 'orders?*': DOWN, [`orders/${long.id}`]: json(200, long) });
    await button(orders, 'Older orders').click();
    await says(orders, 'The older orders could not be loaded');
    await check(orders, 'orders');
    await orders.getByRole('link', { name: /^Wolfe/ }).click();
    await heading(orders, 'Order 00000003');
    await orders.locator('.lines img').first().waitFor();
    await check(orders, 'order');
    const none = await as('employee', '/orders', { orders: json(200, { orders: [] }) });
    await none.getByText('There are no orders yet.').waitFor();
    await check(none, 'no-orders');

    const stock = await as('admin', '/stock', { 'staff/products': json(200, { products: [product(), product({ id: ID, product_name: 'Wolfeschlegelsteinhausenbergerdorff Deluxe', inventory_count: 1_000_000 })] }), 'staff/products/*': refusal(403, 'forbidden') });
    await button(stock, 'Edit Peanut Chocolate').waitFor();
    await check(stock, 'stock');
    await button(stock, 'Add a product').click();
    await button(stock, 'Save').click();
    await check(stock, 'add');
    await button(stock, 'Cancel').click();
    await button(stock, 'Delete Peanut Chocolate').click();
    await button(stock, 'Delete').click();
    await says(stock, 'only administrators may do this');
    await check(stock, 'delete');
    const search = await as('employee', '/stock', { 'staff/products/1': json(200, product()) });
    await search.getByLabel('Number of the product').fill('1');
    await button(search, 'Look up').click();
    await search.locator('.card').waitFor();
    await check(search, 'look-up');

    const reports = await as('employee', '/reports', { 'create-report': json(202, { executionArn: ARN }), [STATUS]: status('SUCCEEDED'), 'auth/logout': DOWN });
    await check(reports, 'reports');
    await button(reports, 'Create the reports').click();
    await says(reports, 'The reports are ready.');
    await button(reports, 'Sign out').click();
    await reports.getByRole('alert').waitFor();
    await check(reports, 'reports-ready');
    const mailed = await open(t, browser, `/report#${MAILED}`, { ...look, before: (page) => route(page, 'report-link', json(401, { message: 'No', reason: 'already_used', usedAt: '2026-11-26T14:05:00Z' })) });
    await check(mailed, 'report');
    await button(mailed, 'Open the report').click();
    await says(mailed, 'This link was used already');
    await check(mailed, 'report-used');
  });
}

test('an order is found and opened with the keyboard alone, and each screen and dialog has the focus', async (t) => {
  const page = await openAs(t, browser, 'admin', '/orders', { orders: json(200, { orders: [order(1)] }), 'orders/*': json(200, order(1)), ...SHELF });
  await page.getByRole('link', { name: 'Customer 1' }).focus();
  await page.keyboard.press('Enter');
  await heading(page, 'Order 00000001');
  assert.equal(await page.evaluate(() => document.activeElement.tagName + document.activeElement.textContent), 'H1Order 00000001');
  assert.equal(await page.title(), 'Order 00000001 · Crumb Street');
  await page.getByRole('link', { name: 'Stock' }).focus();
  await page.keyboard.press('Enter');
  await heading(page, 'Stock');
  await button(page, 'Edit Peanut Chocolate').press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
  // The dialog keeps the focus, apart from the browser's own controls.
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('dialog')));
  }
});
