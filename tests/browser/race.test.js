// The race: one token, many requests at once, and what the page says of a deployment that breaks the rule.

import assert from 'node:assert/strict';
import test from 'node:test';
import { json, launch, local, open, refusal, says, text } from './helpers.js';

const browser = await launch();
const { url } = await local();

const ACCEPTED = json(200, { isValid: true, message: 'Token validated successfully' });
const AT = { usedAt: '2026-11-26T01:30:36Z' };

/** Answers the requests of a race with these answers, in their order. */
const answers = (page, list) => page.route('**/validate?race=*', (route) => {
  const i = new URL(route.request().url()).searchParams.get('race') - 1;
  return list[i] === 'lost' ? route.abort('connectionreset') : route.fulfill(list[i]);
});

/** The race as its table has it. */
const table = (page) => page.$$eval('#results tr', (rows) => rows.map((it) => [...it.children].map((it) => it.textContent)));

test('of six requests at once one is accepted, and each has its lane and its row', async (t) => {
  const page = await open(t, browser, url);
  const keys = new Set();
  page.on('request', (it) => keys.add(it.headers()['idempotency-key']));
  await page.click('#start');
  assert.equal(await says(page, 'outcome', 'held', { n: 6, yes: 1, used: 5 }), 'yes');
  await says(page, 'protocol', 'six', { p: 'HTTP/1\\.1' });
  const rows = await table(page);
  assert.deepEqual(rows.map((it) => it[0]), ['1', '2', '3', '4', '5', '6']);
  assert.deepEqual(rows.map((it) => it[3]).sort(), ['200', ...Array(5).fill('401 already_used')]);
  for (const [, waited, flight] of rows) for (const time of [waited, flight]) assert.match(time, /^\d+ ms$/);
  const icons = await page.$$eval('#lanes text[class]', (icons) => icons.map((it) => it.textContent).sort());
  assert.deepEqual(icons, ['✔', ...Array(5).fill('✘')].sort());
  assert.equal(await page.$$eval('#lanes line.wait', (it) => it.length), 6);
  assert.equal(await page.$$eval('#lanes line:not(.wait)', (it) => it.length), 6);
  assert.ok(page.requests.every((it) => !it.includes('token')));
  keys.delete(undefined); // of the mint
  assert.equal(keys.size, 6, 'a request that the browser sends again would be another claim');
});

test('over HTTP/1.1 the seventh request begins only when one of the first six has its answer', async (t) => {
  const page = await open(t, browser, url);
  await page.fill('#count', '16');
  await page.click('#start');
  await says(page, 'outcome', 'held', { n: 16, yes: 1, used: 15 });
  const lanes = await page.evaluate(() => performance.getEntriesByType('resource').filter((it) => it.name.includes('race='))
    .map(({ requestStart, responseEnd }) => ({ requestStart, responseEnd })));
  lanes.sort((a, b) => a.requestStart - b.requestStart);
  assert.equal(lanes.length, 16);
  assert.ok(lanes[6].requestStart >= Math.min(...lanes.map((it) => it.responseEnd)));
});

test('a race has 2 to 32 requests', async (t) => {
  const page = await open(t, browser, url);
  for (const [typed, n] of [['1', 2], ['99', 32], ['', 6], ['-3', 2], ['2.7', 2]]) {
    await page.fill('#count', typed);
    await page.click('#start');
    await says(page, 'outcome', 'held', { n, yes: 1, used: n - 1 });
    assert.equal(await page.inputValue('#count'), String(n));
    assert.equal((await table(page)).length, n);
  }
});

test('a deployment that breaks the rule is said to break its promise, in red', async (t) => {
  const page = await open(t, browser, url);
  const red = await page.evaluate(() => {
    const sample = document.body.appendChild(document.createElement('i'));
    sample.className = 'no';
    return getComputedStyle(sample).color;
  });
  for (const [list, name, values] of [
    [[ACCEPTED, refusal('already_used', AT), ACCEPTED], 'broken', { n: 3, yes: 2 }],
    [Array(3).fill(refusal('already_used', AT)), 'broken', { n: 3, yes: 0 }],
    [Array(3).fill(ACCEPTED), 'broken', { n: 3, yes: 3 }],
    [[ACCEPTED, refusal('already_used', AT), refusal('already_used', { usedAt: '2026-11-26T01:30:37Z' })], 'contradicts'],
  ]) {
    await page.unrouteAll();
    await answers(page, list);
    await page.fill('#count', '3');
    await page.click('#start');
    assert.equal(await says(page, 'outcome', name, values), 'no');
    assert.equal(await page.$eval('#outcome', (it) => getComputedStyle(it).color), red);
    assert.match(await page.textContent('#outcome'), /this deployment breaks its promise\.$/);
  }
});

test('a race with an answer that is missing or unclear proves nothing', async (t) => {
  const page = await open(t, browser, url, { expects: /net::ERR_CONNECTION_RESET/ });
  for (const unclear of ['lost', json(503, { reason: 'unavailable' }), json(429, { reason: 'invalid_request' }), { status: 200, body: '<p>' }]) {
    await page.unrouteAll();
    await answers(page, [unclear, ACCEPTED, refusal('already_used', AT)]);
    await page.fill('#count', '3');
    await page.click('#start');
    assert.equal(await says(page, 'outcome', 'unproven', { n: 3, yes: 1, used: 1, other: 1 }), 'unknown');
    assert.ok((await page.textContent('#lanes')).includes('?'));
  }
});

for (const [reducedMotion, icons] of [['no-preference', 1], ['reduce', 0]]) {
  test(`with the motion setting ${reducedMotion}, ${icons} of two lanes is drawn when one answer is there`, async (t) => {
    const page = await open(t, browser, url, { reducedMotion });
    let release;
    const held = new Promise((resolve) => release = resolve);
    await page.route('**/validate?race=2', async (route) => { await held; await route.fulfill(refusal('already_used', AT)); });
    await page.fill('#count', '2');
    await page.click('#start');
    await page.waitForFunction(() => document.querySelectorAll('#visit li').length === 2);
    await page.waitForTimeout(100);
    assert.equal(await page.$$eval('#lanes text[class]', (it) => it.length), icons);
    assert.match(await page.textContent('#outcome'), text('waiting'));
    release();
    await says(page, 'outcome', 'held', { n: 2, yes: 1, used: 1 });
    assert.equal(await page.$$eval('#lanes text[class]', (it) => it.length), 2);
  });
}
