// Every state of the page: what it says after each answer, and what one can do next.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { front, get, json, launch, local, mint, once, open, refusal, revoke, says, serve, texts } from './helpers.js';

const browser = await launch();
const { url } = await local();

const isShown = (page, id) => page.isVisible(`#${id}`);

test('the versions of the browser and its driver', (t) => {
  const { version } = JSON.parse(readFileSync(new URL('node_modules/playwright-core/package.json', import.meta.url)));
  t.diagnostic(`Chromium ${browser.version()}, playwright-core ${version}`);
});

test('the first view sends one request, mints nothing, and can neither validate nor lose', async (t) => {
  const page = await open(t, browser, url);
  await page.waitForTimeout(300);
  assert.deepEqual(page.requests, [`GET ${url}/`]);
  for (const id of ['validate', 'lose']) assert.ok(await page.isDisabled(`#${id}`));
  for (const id of ['copy', 'again', 'renew', 'decoded', 'course', 'clear']) assert.ok(!await isShown(page, id), id);
  assert.equal(await page.textContent('header + main > p'), texts.lead[0]);
  assert.ok((await page.textContent('#spends')).includes('It works once.'));
});

test('minting is said after 300 ms, and a second press does nothing', async (t) => {
  const page = await open(t, browser, url);
  let answer;
  const held = new Promise((resolve) => answer = resolve);
  await once(page, 'hello', async (route) => { await held; await route.continue(); });
  await page.click('#get');
  assert.equal(await page.textContent('#got'), '');
  assert.equal(await page.getAttribute('#get', 'aria-busy'), 'true');
  await says(page, 'got', 'waiting');
  await page.click('#get', { force: true });
  await page.keyboard.press('Enter');
  answer();
  await page.waitForSelector('#decoded:not([hidden])');
  assert.equal(await page.textContent('#got'), '');
  assert.equal(await page.getAttribute('#get', 'aria-busy'), 'false');
  assert.equal(page.requests.filter((it) => it.endsWith('/hello')).length, 1);
});

test('a token is shown in its three parts, with its claims in words', async (t) => {
  const page = await open(t, browser, url, { timezoneId: 'UTC' });
  const token = await get(page);
  const rows = await page.$$eval('#claims tr', (rows) => rows.map((it) => [it.className, ...[...it.children].map((it) => it.textContent)]));
  const [header, claims, signature] = token.split('.');
  assert.deepEqual(rows.filter(([part]) => part), [['header', 'Header', header], ['claims', 'Claims', claims], ['signature', 'Signature', signature]]);
  const { iat, exp, jti } = JSON.parse(Buffer.from(claims, 'base64url'));
  const time = (seconds) => new Date(seconds * 1000).toLocaleString('en-US', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });
  const meaning = (name) => rows.find((it) => it[1] === name).slice(2).map((it) => it.replaceAll('\u202f', ' '));
  assert.deepEqual(meaning('jti'), [jti, 'Its identifier']);
  assert.deepEqual(meaning('iat'), [String(iat), `Minted at ${time(iat)}`.replaceAll('\u202f', ' ')]);
  assert.deepEqual(meaning('exp'), [String(exp), `Expires at ${time(exp)}`.replaceAll('\u202f', ' ')]);
  await says(page, 'left', 'left');
});

test('Copy copies the token', async (t) => {
  const page = await open(t, browser, url, { permissions: ['clipboard-read', 'clipboard-write'] });
  const token = await get(page);
  await page.click('#copy');
  await says(page, 'got', 'copied');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);
});

test('a token is accepted once, and the next try says when it was used', async (t) => {
  const page = await open(t, browser, url);
  await get(page);
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'accepted'), 'yes');
  assert.ok(!await isShown(page, 'again') && !await isShown(page, 'renew'));
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'already_used', { usedAt: '\\w+ \\d+, 20\\d\\d, [\\d:]+\\s[AP]M' }), 'no');
  await page.click('#renew');
  await page.waitForFunction(() => !document.getElementById('verdict').textContent);
  await page.click('#validate');
  await says(page, 'verdict', 'accepted');
});

test('a pasted text that is not a token is marked, and the API decides', async (t) => {
  const page = await open(t, browser, url);
  for (const garbage of ['hello', '<img src=x onerror=alert(1)>', '🔑\n\u0000é', 'a.b.c', '{"token":"x"}', '" or ""="']) {
    await page.fill('#token', garbage);
    assert.equal(await page.getAttribute('#token', 'aria-invalid'), 'true');
    assert.equal(await says(page, 'odd', 'not_a_token'), 'no');
    await page.click('#validate');
    assert.equal(await says(page, 'verdict', 'invalid_token'), 'no', garbage);
    assert.ok(await isShown(page, 'renew'));
  }
  await page.fill('#token', '');
  assert.equal(await page.getAttribute('#token', 'aria-invalid'), null);
  assert.equal(await page.textContent('#verdict'), '');
  assert.ok(await page.isDisabled('#validate'));
});

test('white space around a pasted token does not matter', async (t) => {
  const page = await open(t, browser, url);
  await page.fill('#token', `\n  ${await mint(url)} \n`);
  assert.equal(await page.textContent('#odd'), '');
  await page.click('#validate');
  await says(page, 'verdict', 'accepted');
});

test('markup in a claim is shown as text', async (t) => {
  const page = await open(t, browser, url);
  const part = (it) => Buffer.from(JSON.stringify(it)).toString('base64url');
  const claim = '<img src=x onerror=alert(1)><b>';
  await page.fill('#token', `${part({ kid: {} })}.${part({ iss: claim, exp: 1e300, iat: 'soon', nbf: -9e15, [claim]: [claim] })}.x`);
  assert.ok((await page.textContent('#claims')).includes(claim));
  assert.equal(await page.$('#claims img, #claims b'), null);
});

test('1 MB of pasted text is refused by the API, and spends nothing', async (t) => {
  const page = await open(t, browser, url);
  await page.evaluate(() => {
    const field = document.getElementById('token');
    field.value = 'x'.repeat(1 << 20);
    field.dispatchEvent(new Event('input'));
  });
  await says(page, 'odd', 'not_a_token');
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'request', { message: 'Body too large' }), 'no');
});

test('a token of another deployment is refused', async (t) => {
  const other = await local();
  const page = await open(t, browser, url);
  await page.fill('#token', await mint(other.url));
  assert.equal(await page.textContent('#odd'), '');
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'invalid_token'), 'no');
});

test('a revoked token is refused as revoked', async (t) => {
  const page = await open(t, browser, url);
  revoke(url, await get(page));
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'revoked'), 'no');
  assert.ok(await isShown(page, 'renew'));
});

test('an expired token is refused with the time of its expiry', async (t) => {
  const brief = await local({ TokenTtlSeconds: 1 });
  const page = await open(t, browser, brief.url);
  await get(page);
  await says(page, 'left', 'left_none');
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'expired', { exp: '\\w+ \\d+, 20\\d\\d, .+' }), 'no');
});

test('the refusals that no test can bring about have their texts', async (t) => {
  const page = await open(t, browser, url);
  await get(page);
  for (const [reason, name, values] of [
    ['not_yet_valid', 'not_yet_valid', { nbf: '\\w+ \\d+, 20\\d\\d, .+' }],
    ['unknown_token', 'unknown_token'],
    ['of_a_later_version', 'refused', { reason: 'of_a_later_version' }],
  ]) {
    await once(page, 'validate', refusal(reason));
    await page.click('#validate');
    assert.equal(await says(page, 'verdict', name, values), 'no');
  }
});

test('after a lost answer the outcome is unknown, and asking again with the same key tells it', async (t) => {
  const page = await open(t, browser, url, { expects: /net::ERR_CONNECTION_RESET/ });
  await get(page);
  const keys = [];
  page.on('request', (it) => keys.push(it.headers()['idempotency-key']));
  await once(page, 'validate', async (route) => {
    assert.equal((await route.fetch()).status(), 200); // spent
    await route.abort('connectionreset');
  });
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'unknown'), 'unknown');
  await says(page, 'note', 'unreachable', { url: `${url}/` });
  assert.ok(await isShown(page, 'again') && !await isShown(page, 'renew'));
  await page.click('#again');
  assert.equal(await says(page, 'verdict', 'replayed'), 'yes');
  assert.equal(await page.textContent('#note'), '');
  assert.ok(!await isShown(page, 'again'));
  await page.click('#validate');
  await says(page, 'verdict', 'already_used');
  assert.equal(keys.length, 3);
  assert.ok(keys[0].length > 20 && keys[0] === keys[1] && keys[1] !== keys[2]);
});

test('an unknown outcome of an unspent token is told by asking again', async (t) => {
  const page = await open(t, browser, url);
  await get(page);
  await once(page, 'validate', json(503, { isValid: false, message: 'Service unavailable', reason: 'unavailable' }));
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'unknown'), 'unknown');
  assert.equal(await page.textContent('#note'), '');
  await page.click('#again');
  assert.equal(await says(page, 'verdict', 'accepted'), 'yes');
});

test('a refusal after an unknown outcome does not hide that the first try may have spent the token', async (t) => {
  const page = await open(t, browser, url);
  await get(page);
  for (const [answer, name, values] of [
    [json(503, { reason: 'unavailable' }), 'unknown'],
    [json(429, { reason: 'invalid_request' }), 'unknown'],
    [refusal('already_used', { usedAt: '2026-11-26T01:30:36Z' }), 'unsure', { reason: 'already_used' }],
    [refusal('expired'), 'unsure', { reason: 'expired' }],
  ]) {
    await once(page, 'validate', answer);
    await page.click('#validate');
    assert.equal(await says(page, 'verdict', name, values), 'unknown');
    assert.ok(await isShown(page, 'again'));
  }
  await get(page); // another token, of which nothing is unknown
  await once(page, 'validate', refusal('revoked'));
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'revoked'), 'no');
});

test('losing the answer does not forget an unknown outcome', async (t) => {
  const page = await open(t, browser, url);
  await get(page);
  const keys = [];
  page.on('request', (it) => keys.push(it.headers()['idempotency-key']));
  await once(page, 'validate', async (route) => {
    assert.equal((await route.fetch()).status(), 200); // spent
    await route.fulfill(json(503, { reason: 'unavailable' }));
  });
  await page.click('#validate');
  await says(page, 'verdict', 'unknown');
  await page.click('#lose');
  await page.waitForSelector('#lost li:nth-child(3)');
  assert.equal(await page.getAttribute('#lost li:nth-child(2)', 'class'), 'yes');
  assert.ok(keys[0] === keys[1] && keys[1] === keys[2] && keys[2] !== keys[3]);

  await get(page);
  await page.route('**/validate', (route) => route.fulfill(json(503, { reason: 'unavailable' })), { times: 3 });
  await page.click('#lose');
  await page.waitForSelector('#lost li:nth-child(3)');
  await once(page, 'validate', refusal('already_used', { usedAt: '2026-11-26T01:30:36Z' }));
  await page.click('#again');
  assert.equal(await says(page, 'verdict', 'unsure', { reason: 'already_used' }), 'unknown');
});

test('the claims of a pasted token neither speak for the API nor stop the page', async (t) => {
  const page = await open(t, browser, url, { expects: /status of 400/ });
  const odd = { message: { name: 'lead' }, usedAt: 'x', exp: { toString: 1, valueOf: 1 }, nbf: [], iat: null };
  const token = ['{"alg":"none"}', JSON.stringify(odd)].map((it) => Buffer.from(it).toString('base64url')).join('.') + '.c2ln';
  await page.fill('#token', token);
  assert.equal(await isShown(page, 'decoded'), true);
  for (const status of [400, 401]) {
    await once(page, 'validate', json(status, { reason: status === 400 ? 'invalid_request' : 'expired', message: 'The words of the API' }));
    await page.click('#validate');
    await page.waitForSelector('#verdict.no');
    assert.match(await page.textContent('#verdict'), status === 400 ? /The words of the API/ : /expired at \?/);
  }
});

test('an answer that is not one of the API is unknown, with the address', async (t) => {
  const page = await open(t, browser, url);
  for (const answer of [
    { status: 200, contentType: 'text/html', body: '<!doctype html><title>Welcome</title>' },
    { status: 200, body: '' },
    { status: 401, contentType: 'text/html', body: '<h1>Sign in</h1>' },
  ]) {
    await get(page);
    await once(page, 'validate', answer);
    await page.click('#validate');
    assert.equal(await says(page, 'verdict', 'unknown'), 'unknown');
    await says(page, 'note', 'foreign', { url: `${url}/` });
    await page.fill('#token', '');
    await once(page, 'hello', answer);
    await page.click('#get');
    assert.equal(await says(page, 'got', 'foreign', { url: `${url}/` }), 'unknown');
    assert.equal(await page.inputValue('#token'), '');
  }
});

test('a redirect is not followed, so that it carries no token elsewhere', async (t) => {
  const reached = [];
  const elsewhere = await serve((request, response) => { reached.push(request.url); response.end(); });
  let isMoved = false;
  const moving = await front(url, '', (request, response) => {
    if (request.url === '/elsewhere') reached.push(request.url);
    return isMoved && response.writeHead(307, { location: `${request.url === '/hello' ? moving : elsewhere}/elsewhere` }).end();
  });
  const page = await open(t, browser, moving);
  await get(page);
  isMoved = true;
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'unknown'), 'unknown');
  await says(page, 'note', 'foreign', { url: `${moving}/` });
  await page.click('#get');
  assert.equal(await says(page, 'got', 'foreign'), 'unknown');
  assert.deepEqual(reached, []);
});

test('an answer that takes too long is unknown', async (t) => {
  const page = await open(t, browser, url);
  await get(page);
  // The next time-out passes soon; those after it are as they were.
  await page.evaluate(() => {
    const { timeout } = AbortSignal;
    AbortSignal.timeout = (ms) => {
      AbortSignal.timeout = timeout;
      return timeout.call(AbortSignal, ms / 50);
    };
  });
  let isDone = false;
  await once(page, 'validate', async (route) => { while (!isDone) await new Promise((it) => setTimeout(it, 50)); await route.abort().catch(() => {}); });
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'unknown'), 'unknown');
  isDone = true;
  await page.click('#again');
  await says(page, 'verdict', 'accepted');
});

test('a throttled try leaves the token unspent', async (t) => {
  const page = await open(t, browser, url);
  const throttled = json(429, { message: 'Request refused', reason: 'invalid_request', requestId: 'r-1' });
  await once(page, 'hello', throttled);
  await page.click('#get');
  assert.equal(await says(page, 'got', 'mint_failed', { status: 429 }), 'unknown');
  await get(page);
  await once(page, 'validate', throttled);
  await page.click('#validate');
  assert.equal(await says(page, 'verdict', 'throttled'), 'unknown');
  await page.click('#again');
  assert.equal(await says(page, 'verdict', 'accepted'), 'yes');
});

test('an API that is down is named, and the token stays in the field', async (t) => {
  const brief = await local();
  const page = await open(t, browser, brief.url, { expects: /net::ERR_CONNECTION_REFUSED/ });
  const token = await get(page);
  await brief.stop();
  await page.click('#validate');
  await says(page, 'verdict', 'unknown');
  await says(page, 'note', 'unreachable', { url: `${brief.url}/` });
  await page.click('#get');
  assert.equal(await says(page, 'got', 'unreachable', { url: `${brief.url}/` }), 'unknown');
  await page.click('#start');
  assert.equal(await says(page, 'outcome', 'unreachable', { url: `${brief.url}/` }), 'unknown');
  assert.equal(await page.inputValue('#token'), token);
});

test('an API that mints for no caller says so', async (t) => {
  const closed = await local({ OpenRoutes: '"false"' });
  const page = await open(t, browser, closed.url);
  await page.click('#get');
  assert.equal(await says(page, 'got', 'mint_closed'), 'unknown');
});

test('the countdown ends at 0 s, and the last minutes, the last seconds and the end are announced once each', async (t) => {
  const page = await open(t, browser, url, { before: (page) => page.clock.install() });
  await get(page);
  await page.evaluate(() => {
    window.announced = [];
    new MutationObserver((changes) => window.announced.push(changes.at(-1).target.textContent))
      .observe(document.getElementById('announced'), { childList: true });
  });
  assert.match(await page.textContent('#left'), /^Expires in (5 min 0|4 min 59) s\.$/);
  await page.clock.runFor(100_000);
  assert.match(await page.textContent('#left'), /^Expires in 3 min (21|20|19) s\.$/);
  await page.clock.runFor(210_000);
  await says(page, 'left', 'left_none');
  assert.deepEqual(await page.evaluate(() => window.announced),
    ['4 min 0', '3 min 0', '2 min 0', '1 min 0', '20'].map((it) => `Expires in ${it} s.`).concat('It has expired.'));
  // The page's clock is only a help: the API decides.
  await page.click('#validate');
  await says(page, 'verdict', 'accepted');
});

test('a clock of the browser that is wrong by a day does not matter for a token from the API', async (t) => {
  const page = await open(t, browser, url, { before: (page) => page.clock.install({ time: Date.now() + 86_400_000 }) });
  await get(page);
  assert.match(await page.textContent('#left'), /^Expires in (5 min 0|4 min 59) s\.$/);
});

test('a lost answer is shown: the same key gets the success, another the refusal', async (t) => {
  const page = await open(t, browser, url);
  await get(page);
  await page.click('#lose');
  await page.waitForSelector('#lost li:nth-child(3)');
  const lines = await page.$$eval('#lost li', (lines) => lines.map((it) => [it.className, it.textContent]));
  assert.deepEqual(lines.slice(0, 2), [
    ['', texts.lost[0]],
    ['yes', texts.lost_same[0].replace('{v}', texts.replayed[0])],
  ]);
  assert.equal(lines[2][0], 'no');
  assert.match(lines[2][1], /^With another key: Refused: already used at \w+ \d+, 20/);
});

test('the visit lists each answer, newest first, without a token, until it is cleared or the page is loaded again', async (t) => {
  const page = await open(t, browser, url);
  const token = await get(page);
  await page.click('#validate');
  await says(page, 'verdict', 'accepted');
  await page.click('#validate');
  await says(page, 'verdict', 'already_used');
  const lines = await page.$$eval('#visit li', (lines) => lines.map((it) => it.textContent));
  const id = '[0-9a-f-]{36}';
  for (const [i, pattern] of [`Validate 401 already_used ${id}`, `Validate 200  ?${id}`, `Get a new token 200  ?${id}`].entries()) {
    assert.match(lines[i], new RegExp(`^[\\d:]+\\s[AP]M ${pattern}$`));
  }
  for (const part of token.split('.')) assert.ok(!(await page.textContent('#visit')).includes(part));
  await page.click('#clear');
  assert.equal(await page.$('#visit li'), null);
  await get(page);
  await page.reload();
  assert.equal(await page.$('#visit li'), null);
  assert.equal(await page.inputValue('#token'), '');
});

test('a token is in no address and in no storage', async (t) => {
  const page = await open(t, browser, url);
  const token = await get(page);
  for (const [id, done] of [['validate', '#verdict.yes'], ['lose', '#lost li:nth-child(3)'], ['start', '#outcome.yes']]) {
    await page.click(`#${id}`);
    await page.waitForSelector(done);
  }
  assert.ok(page.requests.every((it) => !it.includes('eyJ') && !it.includes(token.split('.')[2])));
  const stored = await page.evaluate(async () => ({
    address: location.href, title: document.title, name: window.name, state: history.state,
    storage: [localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, (await caches.keys()).length],
  }));
  assert.deepEqual(stored, { address: `${url}/`, title: 'token-auth', name: '', state: null, storage: [0, 0, '', 0, 0] });
});

test('a Japanese reader gets Japanese, and the button changes the language of all that is shown', async (t) => {
  const page = await open(t, browser, url, { locale: 'ja-JP' });
  assert.equal(await page.getAttribute('html', 'lang'), 'ja');
  assert.deepEqual([await page.textContent('#language'), await page.getAttribute('#language', 'lang')], ['English', 'en']);
  await get(page);
  await page.click('#validate');
  await says(page, 'verdict', 'accepted', {}, 1);
  await page.click('#validate');
  await says(page, 'verdict', 'already_used', { usedAt: '20\\d\\d/\\d+/\\d+ [\\d:]+' }, 1);
  assert.match(await page.textContent('#left'), /^有効期限まであと(5分0|4分\d\d)秒です。$/);
  await page.click('#start');
  await says(page, 'outcome', 'held', { n: 6, yes: 1, used: 5 }, 1);
  await page.click('#language');
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
  await says(page, 'verdict', 'already_used', { usedAt: '\\w+ \\d+, 20\\d\\d, .+' });
  await says(page, 'outcome', 'held');
  assert.doesNotMatch((await page.innerText('body')).replace('日本語', ''), /[぀-ヿ一-鿿]/);
});

test('any other reader gets English', async (t) => {
  const page = await open(t, browser, url, { locale: 'fr-FR' });
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
});
