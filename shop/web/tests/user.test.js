// Signing in, with a simulated browser and API: what two calls at once share, and what survives.

import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { runnerImport } from 'vite';

/** What was requested, in turn, and the answers by path: each is a status and a body, or waits for one. */
let sent;
let answers;
let storage;

const jwt = (claims) => `.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
const tokens = (name) => [200, { access_token: name, id_token: jwt({ email: 'ä@example.com', 'cognito:groups': ['admin'] }), expires_in: 900 }];

globalThis.fetch = async (path, { headers = {} }) => {
  sent.push(headers.Authorization ? `${path} ${headers.Authorization}` : path);
  const [status, body] = await answers[path].shift();
  return { status, text: async () => JSON.stringify(body) };
};
const area = () => {
  const items = {};
  return { getItem: (key) => items[key] ?? null, setItem: (key, value) => { items[key] = value; }, removeItem: (key) => { delete items[key]; } };
};

/** A page that has just been loaded, at this address. */
async function load(search = '') {
  globalThis.location = { origin: 'https://shop.example', pathname: '/callback', search };
  globalThis.history = { replaceState: () => {} };
  const { module } = await runnerImport(new URL('../src/user.ts', import.meta.url).pathname);
  return module;
}

beforeEach(() => {
  sent = [];
  storage = area();
  globalThis.localStorage = storage;
  globalThis.sessionStorage = area();
});

test('a sign-in is exchanged once, however often a component asks', async () => {
  answers = { '/auth/exchange': [tokens('first')] };
  sessionStorage.setItem('crumb-street-sign-in', JSON.stringify({ verifier: 'v', state: 's', to: '/stock' }));
  const { finish } = await load('?code=c&state=s');
  assert.deepEqual(await Promise.all([finish(), finish()]), [{ is: 'in', to: '/stock' }, { is: 'in', to: '/stock' }]);
  assert.deepEqual(await finish(), { is: 'in', to: '/stock' });
  assert.deepEqual(sent, ['/auth/exchange']);
});

test('calls at the same time share one refresh, before and after a 401', async () => {
  answers = { '/auth/refresh': [tokens('first'), tokens('second')], '/a': [[401, {}], [200, {}]], '/b': [[401, {}], [200, {}]] };
  const { callAsUser } = await load();
  assert.deepEqual((await Promise.all([callAsUser('/a'), callAsUser('/b')])).map(({ status }) => status), [200, 200]);
  assert.deepEqual(sent, ['/auth/refresh', '/a Bearer first', '/b Bearer first', '/auth/refresh', '/a Bearer second', '/b Bearer second']);
});

test('a 401 that comes late does not refresh again', async () => {
  let late;
  answers = { '/auth/refresh': [tokens('first'), tokens('second')], '/a': [new Promise((resolve) => { late = resolve; }), [200, {}]], '/b': [[401, {}], [200, {}]] };
  const { callAsUser } = await load();
  const a = callAsUser('/a');
  assert.equal((await callAsUser('/b')).status, 200);
  late([401, {}]);
  assert.equal((await a).status, 200);
  assert.equal(sent.filter((it) => it === '/auth/refresh').length, 2);
});

test('a refresh that is under way does not end the session that a sign-in begins', async () => {
  let late;
  answers = { '/auth/refresh': [new Promise((resolve) => { late = resolve; })], '/auth/exchange': [tokens('first')], '/a': [[200, {}]] };
  sessionStorage.setItem('crumb-street-sign-in', JSON.stringify({ verifier: 'v', state: 's', to: '/' }));
  const { callAsUser, finish, refresh } = await load('?code=c&state=s');
  refresh();
  const finished = finish();
  late([401, { reason: 'signed_out' }]);
  assert.equal((await finished).is, 'in');
  assert.equal((await callAsUser('/a')).status, 200);
  assert.deepEqual(sent, ['/auth/refresh', '/auth/exchange', '/a Bearer first']);
});

test('a refresh without an answer leaves the session open, and a 401 ends it', async () => {
  answers = { '/auth/refresh': [tokens('first'), [503, {}], [401, {}]], '/a': [[401, {}], [401, {}]] };
  const { callAsUser } = await load();
  assert.equal((await callAsUser('/a')).status, 503);
  assert.equal(storage.getItem('crumb-street-signed-in'), 'yes');
  assert.equal((await callAsUser('/a')).status, 401);
  assert.equal(storage.getItem('crumb-street-signed-in'), null);
});
