// What the tests share: `local` with the page, a browser, and pages whose errors fail their test.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

const root = new URL('../..', import.meta.url).pathname;
const program = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug', 'local');

/** The texts of the page: each name with its English and its Japanese text. */
export const texts = JSON.parse(readFileSync(join(root, 'web/text.json')));

/** The English text `name` with its values filled in; a value that is left out matches anything. */
export const text = (name, values = {}, language = 0) => new RegExp(`^${texts[name][language]
  .replace(/[.*+?^$()[\]\\]/g, '\\$&').replace(/{(\w+)}/g, (_, it) => values[it] ?? '.+')}$`);

/** Starts `local` on a free port, with other values of the template's parameters. */
export async function local(parameters = {}) {
  const overrides = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const options = overrides.length ? ['--parameter-overrides', ...overrides] : [];
  const child = spawn(program, ['--port', '0', ...options], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  const failed = new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('local has ended: is it built?')));
  });
  failed.catch(() => {});
  const started = new Promise((resolve) => child.stdout.once('data', (line) => resolve(/http:\S+/.exec(line)[0])));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  /** Ends it, and waits until its port refuses connections. */
  const stop = () => { child.kill(); return ended; };
  after(stop);
  return { url: await Promise.race([started, failed]), stop };
}

/** Starts a server on a free port, and returns its address. */
export async function serve(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => { server.close(); server.closeAllConnections(); });
  return `http://127.0.0.1:${server.address().port}`;
}

/**
 * Starts a server that has the API at `url` under `path`, as API Gateway has a stage or a mapping.
 *
 * It hands on each request that `answer` does not answer.
 */
export const front = (url, path, answer = () => false) => serve((incoming, response) => {
  if (answer(incoming, response)) return;
  const rest = incoming.url.startsWith(path) && incoming.url.slice(path.length);
  if (typeof rest !== 'string' || !/^([/?]|$)/.test(rest)) return response.writeHead(404).end();
  const outgoing = request(url + rest.replace(/^(?!\/)/, '/'), { method: incoming.method, headers: incoming.headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
});

/** A token from a `local`. */
export const mint = async (url) => (await (await fetch(`${url}/hello`)).json()).accessToken;

/** Revokes a token, as an operator of `local` does. */
export const revoke = (url, token) => execFileSync('curl', ['-sf', `${url}/tokens/revoke`, '-d', JSON.stringify({ token }),
  '--aws-sigv4', 'aws:amz:us-east-1:execute-api', '--user', 'AKIDLOCAL:local-secret']);

/** The browser of a test file. */
export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  after(() => browser.close());
  return browser;
}

/** A status that is not a success appears in the console, and nothing can keep it from there. */
const EXPECTED = /^Failed to load resource: the server responded with a status of (401|403|413|429|503) /;

/**
 * Opens the page in a context of its own, which ends with the test `t`.
 *
 * A message of the console or an error of the script fails the test, unless `expects` matches it.
 */
export async function open(t, browser, url, { expects = /^$/, before, ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const messages = [];
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  page.requests = [];
  page.on('request', (request) => page.requests.push(`${request.method()} ${request.url()}`));
  await before?.(page);
  await page.goto(url.replace(/\/?$/, '/'));
  t.after(async () => {
    await context.close();
    assert.deepEqual(messages.filter((it) => !EXPECTED.test(it) && !expects.test(it)), []);
  });
  return page;
}

/** Waits until the element has the text `name`, and until the action has ended; returns its class. */
export async function says(page, id, name, values, language) {
  const pattern = text(name, values, language);
  await page.waitForFunction(([id, source, isWaiting]) => new RegExp(source).test(document.getElementById(id).textContent)
    && (isWaiting || !document.querySelector('[aria-busy=true]')), [id, pattern.source, name === 'waiting']).catch(async () => assert.match(await page.textContent(`#${id}`), pattern));
  return page.getAttribute(`#${id}`, 'class');
}

/** Gets a token with the page's button, and returns it. */
export async function get(page) {
  const before = await page.inputValue('#token');
  await page.click('#get');
  await page.waitForFunction((before) => document.getElementById('token').value !== before, before);
  return page.inputValue('#token');
}

/** Answers the next request to `path` with `answer`, or as the function `answer` does. */
export const once = (page, path, answer) => page.route(`**/${path}`, (route) =>
  typeof answer === 'function' ? answer(route) : route.fulfill(answer), { times: 1 });

/** An answer of the API. */
export const json = (status, body) => ({ status, contentType: 'application/json', body: JSON.stringify(body) });

/** A refusal of POST /validate. */
export const refusal = (reason, more) => json(401, { isValid: false, message: 'Invalid or expired token', reason, ...more, requestId: 'r-1' });
