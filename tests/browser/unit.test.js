// The pure functions of the page, and its texts.

import assert from 'node:assert/strict';
import test from 'node:test';
import { base, decode, judge, lanes, outcome } from '../../web/page.js';
import { texts } from './helpers.js';

const encode = (it) => Buffer.from(typeof it === 'string' ? it : JSON.stringify(it)).toString('base64url');
const token = (header, claims, signature = 'c2ln') => `${encode(header)}.${encode(claims)}.${signature}`;

test('the address of the API is that of the page, with or without the slash at its end', () => {
  for (const [page, api] of [
    ['http://127.0.0.1:3000/', 'http://127.0.0.1:3000/'],
    ['https://a.example/Prod', 'https://a.example/Prod/'],
    ['https://a.example/Prod/', 'https://a.example/Prod/'],
    ['https://a.example/api/', 'https://a.example/api/'],
    ['https://a.example/v1.2', 'https://a.example/v1.2/'],
    ['http://127.0.0.1:4566/restapis/x/Prod/_user_request_', 'http://127.0.0.1:4566/restapis/x/Prod/_user_request_/'],
    ['https://a.example/Prod?api=https://evil.example#api=https://evil.example/', 'https://a.example/Prod/'],
  ]) assert.equal(base(page), api);
  assert.equal(base('https://d1.cloudfront.net/', './Prod/'), 'https://d1.cloudfront.net/Prod/');
  assert.equal(base('https://d1.cloudfront.net/index.html', './Prod/'), 'https://d1.cloudfront.net/Prod/');
});

test('a token is decoded into its parts, its header and its claims', () => {
  const decoded = decode(token({ alg: 'HS256' }, { iss: '発行者~~~???', exp: 7 }));
  assert.deepEqual([decoded.header, decoded.claims], [{ alg: 'HS256' }, { iss: '発行者~~~???', exp: 7 }]);
  assert.equal(decoded.parts.length, 3);
});

test('a text that is not a token is not decoded', () => {
  const invalidUtf8 = `${encode({})}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.c2ln`;
  for (const text of ['', ' ', 'a', 'a.b', 'a.b.c', '..', 'a.b.c.d', token('[]', '{}'), token('null', '{}'), token('{}', '7'),
    token('{}', 'x'), token('{}', '{}', ''), token('{}', '{}', 'ü'), ` ${token('{}', '{}')}`, invalidUtf8, `${'a'.repeat(8000)}.a.${'a'.repeat(8000)}`,
    '<b>.<b>.<b>', '\u0000.\u0000.\u0000']) assert.equal(decode(text), null, text);
});

test('a success is judged by its status and its body together', () => {
  assert.deepEqual(judge({ status: 200, body: { isValid: true } }), ['yes', 'accepted']);
  assert.deepEqual(judge({ status: 200, body: { isValid: true, replayed: true } }, true), ['yes', 'replayed']);
  for (const body of [undefined, null, {}, [], 'true', { isValid: 'true' }, { isValid: false }]) {
    assert.deepEqual(judge({ status: 200, body }), ['unknown', 'unknown']);
  }
});

test('every reason of a refusal has its text', () => {
  for (const reason of ['already_used', 'expired', 'revoked', 'not_yet_valid', 'unknown_token', 'invalid_token']) {
    assert.deepEqual(judge({ status: 401, body: { reason } }), ['no', reason]);
    assert.ok(texts[reason]);
  }
  assert.deepEqual(judge({ status: 401, body: { reason: 'constructor' } }), ['no', 'refused']);
  for (const status of [400, 413]) {
    assert.deepEqual(judge({ status, body: { reason: 'invalid_request' } }), ['no', 'request']);
  }
});

test('an answer that proves nothing is unknown, and never a refusal', () => {
  for (const answer of [
    { status: null }, { status: 0 }, { status: 204 }, { status: 302 }, { status: 401 }, { status: 404 },
    { status: 401, body: {} }, { status: 401, body: null }, { status: 401, body: { reason: 7 } },
    { status: 500, body: { reason: 'internal' } }, { status: 502 }, { status: 503, body: { reason: 'unavailable' } }, { status: 504 },
  ]) {
    assert.deepEqual(judge(answer), ['unknown', 'unknown']);
    assert.deepEqual(judge(answer, true), ['unknown', 'unknown']);
  }
});

test('after an unknown outcome a refusal is not certain, and a throttled try does not leave the token unspent', () => {
  for (const status of [403, 429]) { // 403 is the firewall
    assert.deepEqual(judge({ status, body: { reason: 'invalid_request' } }), ['unknown', 'throttled']);
    assert.deepEqual(judge({ status, body: { reason: 'invalid_request' } }, true), ['unknown', 'unknown']);
  }
  for (const [status, reason] of [[401, 'already_used'], [401, 'expired'], [400, 'invalid_request']]) {
    assert.deepEqual(judge({ status, body: { reason } }, true), ['unknown', 'unsure']);
  }
});

const yes = { status: 200, body: { isValid: true } };
const used = (usedAt) => ({ status: 401, body: { reason: 'already_used', usedAt } });

test('a race proves one use only by one success and refusals with one time of use', () => {
  assert.deepEqual(outcome([used('t'), yes, used('t')]), ['yes', 'held', { n: 3, yes: 1, used: 2, other: 0 }]);
  for (const [answers, kind, name] of [
    [[yes, yes, used('t')], 'no', 'broken'],
    [[yes, yes, { status: null }], 'no', 'broken'],
    [[used('t'), used('t')], 'no', 'broken'],
    [[yes, used('t'), used('u')], 'no', 'contradicts'],
    [[yes, used('t'), used('u'), { status: 503 }], 'no', 'contradicts'],
    [[yes, used('t'), { status: 503 }], 'unknown', 'unproven'],
    [[used('t'), { status: null }], 'unknown', 'unproven'],
    [[yes, { status: 401, body: { reason: 'revoked' } }], 'unknown', 'unproven'],
    [[yes, { status: 429 }], 'unknown', 'unproven'],
    [[yes, used(undefined)], 'unknown', 'unproven'],
  ]) assert.deepEqual(outcome(answers).slice(0, 2), [kind, name]);
});

test('the lanes of a race begin with the first request and end with the last answer', () => {
  const timings = [
    { startTime: 100, requestStart: 150, responseEnd: 200 },
    undefined,
    { startTime: 150, requestStart: 200, responseEnd: 300 },
    { startTime: 100, requestStart: 0, responseEnd: 150 }, // there was no connection
  ];
  assert.deepEqual(lanes(timings), [
    { from: 0, sent: 25, to: 50, waited: 50, flight: 50 },
    undefined,
    { from: 25, sent: 50, to: 100, waited: 50, flight: 100 },
    { from: 0, sent: 25, to: 25, waited: 50, flight: 0 },
  ]);
  assert.deepEqual(lanes([]), []);
  assert.deepEqual(lanes([null, undefined]), [null, undefined]);
});

test('every text is there in both languages, with the same values', () => {
  for (const [name, of] of Object.entries(texts)) {
    assert.equal(of.length, 2, name);
    const [english, japanese] = of.map((it) => [...it.matchAll(/{\w+}/g)].map(String).sort());
    assert.deepEqual(english, japanese, name);
    assert.ok(of.every((it) => it.trim()), name);
    // JTF: no space between half and full width, full-width punctuation.
    assert.doesNotMatch(of[1], /[^\x00-\x7f] | [^\x00-\x7f]|[^\x00-\x7f][,.:!?]/, name);
  }
});
