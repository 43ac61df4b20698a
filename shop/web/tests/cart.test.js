// The cart, its prices, and the form's rules.

import assert from 'node:assert/strict';
import test from 'node:test';
import { runnerImport } from 'vite';

const load = async (name) => (await runnerImport(new URL(`../src/${name}.ts`, import.meta.url).pathname)).module;
const { correct, count, limit, obstacle, orderBody, problems, put, total } = await load('cart');
const { formatPrice, parsePrice, usd } = await load('money');
const { jti } = await load('api');

const product = (id, price = 200, stock = 100) => ({ id, name: `Cookie ${id}`, description: '', price, stock, image: 'x.svg' });
const line = (quantity, price = 200, id = '1') => ({ name: `Cookie ${id}`, price, quantity });

test('a price is read as cents and written as it was', () => {
  for (const [text, cents] of [['2.00', 200], ['0.01', 1], ['17.05', 1705], ['99999.99', 9_999_999]]) {
    assert.equal(parsePrice(text), cents);
    assert.equal(formatPrice(cents), text);
  }
  for (const odd of ['2', '2.0', '2.000', '-2.00', ' 2.00', '2,00', '1e3', '', 2, null, undefined, '123456.00']) {
    assert.equal(parsePrice(odd), undefined, String(odd));
  }
  assert.equal(usd(123456), '$1,234.56');
});

test('a total is exact', () => {
  assert.equal(total(Array.from({ length: 20 }, () => line(99, 10))), 19800);
  assert.equal(total([]), 0);
});

test('a quantity is a whole number from none to what one order can have', () => {
  const quantity = (wanted, stock) => put({}, product('1', 200, stock), wanted)['1']?.quantity;
  assert.equal(quantity(3, 100), 3);
  assert.equal(quantity(1000, 1000), 99);
  assert.equal(quantity(5, 2), 2);
  assert.equal(quantity(2.9, 100), 2);
  for (const none of [0, -1, NaN, 0.5]) assert.equal(quantity(none, 100), undefined, String(none));
  assert.equal(quantity(1, 0), undefined);
  assert.equal(limit(product('1', 200, 7)), 7);
  assert.equal(count({ 1: line(3), 2: line(4) }), 7);
});

test('the cart follows the catalogue, and says what changed', () => {
  const cart = { 1: line(3), 2: line(3, 200, '2'), 3: line(3, 200, '3'), 4: line(3, 200, '4'), 5: line(3, 200, '5') };
  const products = [product('1'), product('2', 250), product('3', 200, 2), product('4', 200, 0)];
  assert.deepEqual(correct(cart, products), {
    cart: { 1: line(3), 2: line(3, 250, '2'), 3: line(2, 200, '3') },
    changes: [
      'Cookie 2 now costs $2.50 instead of $2.00.',
      'Cookie 3: only 2 left, so your cart has 2 instead of 3.',
      'Cookie 4 is sold out. It was removed from your cart.',
      'Cookie 5 is no longer sold. It was removed from your cart.',
    ],
  });
  assert.deepEqual(correct({ 1: line(3) }, products).changes, []);
});

test('the form refuses what the API would', () => {
  const good = { name: 'Ada', email: 'ada@example.com', phone: '+44 (20) 7946.0958' };
  assert.deepEqual(problems(good), {});
  const bad = {
    name: ['', '  ', 'x'.repeat(101), 'a\u0007b'],
    email: ['', 'ada', 'ada@', '@example.com', 'a b@example.com', 'a@b@c', `${'x'.repeat(250)}@x.de`],
    phone: ['', '1234', '12 34', '+++++', '1'.repeat(26), '12345x', '12345;67'],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) assert.deepEqual(Object.keys(problems({ ...good, [name]: value })), [name], `${name}: ${value}`);
  }
  assert.deepEqual(problems({ name: '🍪'.repeat(100), email: 'a@b', phone: '12345' }), {});
});

test('a cart without lines or with more than twenty cannot be ordered', () => {
  const lines = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [i, line(1)]));
  assert.match(obstacle({}), /empty/);
  assert.equal(obstacle(lines(20)), undefined);
  assert.match(obstacle(lines(21)), /20 kinds/);
});

test('an order has the prices that the customer has seen', () => {
  assert.deepEqual(JSON.parse(orderBody({ 3: line(2, 110) }, { name: ' Ada ', email: ' a@b', phone: '12345 ' })), {
    personalInfo: { customer_name: 'Ada', email: 'a@b', phone: '12345' },
    customerproduct: { productsToSubmit: [{ id: '3', quantity: 2, price: '1.10' }] },
  });
});

test('the id of an order is the jti of its token', () => {
  const part = (it) => Buffer.from(JSON.stringify(it)).toString('base64url');
  assert.equal(jti(`${part({})}.${part({ jti: 'a-1', x: '?>?>' })}.x`), 'a-1');
  for (const odd of ['', 'a.b.c', `${part({})}.${part({ jti: 1 })}.x`, `x.${part(null)}.x`]) assert.equal(jti(odd), undefined, odd);
});
