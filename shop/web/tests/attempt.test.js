// The rules of one order, with a simulated API and clock.

import assert from 'node:assert/strict';
import test from 'node:test';
import { runnerImport } from 'vite';

const { module: { attempt } } = await runnerImport(new URL('../src/attempt.ts', import.meta.url).pathname);

const ACCEPTED = { is: 'accepted' };
const CHANGED = { is: 'changed' };
const TAKEN = { is: 'taken' };
const EXPIRED = { is: 'refused', because: 'token', message: '' };
const NONE = { is: 'unanswered' };

/** A world that gives these answers in turn, and the last ones for ever. Each request takes `takes` ms. */
function world({ place = [NONE], status = ['unknown'], takes = 100 }) {
  let time = 0;
  const calls = [];
  const next = (name, answers) => async () => {
    calls.push(name);
    time += takes;
    return answers.length > 1 ? answers.shift() : answers[0];
  };
  return {
    place: next('place', place),
    status: next('status', status),
    now: () => time,
    pause: async (milliseconds) => { time += milliseconds; },
    calls,
  };
}

test('an answer at once is the outcome, and nothing more is asked', async () => {
  for (const placed of [ACCEPTED, CHANGED, EXPIRED, TAKEN]) {
    const it = world({ place: [placed] });
    assert.deepEqual(await attempt(it, false), { ...placed, lost: false });
    assert.deepEqual(it.calls, ['place']);
  }
});

test('after a lost answer the status is asked for first, and then the same token says whether it is this order', async () => {
  for (const status of ['waiting', 'confirmed', 'sold_out', 'failed', 'unknown']) {
    for (const placed of [ACCEPTED, TAKEN]) {
      const it = world({ place: [NONE, placed], status: [status] });
      assert.deepEqual(await attempt(it, false), { ...placed, lost: true });
      assert.deepEqual(it.calls, ['place', 'status', 'place']);
    }
  }
});

test('an order that was sent before a reload is asked for before it is sent', async () => {
  for (const status of ['confirmed', 'unknown']) {
    const it = world({ place: [ACCEPTED], status: [status] });
    assert.deepEqual(await attempt(it, true), { is: 'accepted', lost: true });
    assert.deepEqual(it.calls, ['status', 'place']);
  }
});

test('an order is not sent while its status is unknown', async () => {
  const it = world({ place: [NONE, ACCEPTED], status: ['unanswered', 'unanswered', 'waiting'] });
  assert.equal((await attempt(it, false)).is, 'accepted');
  assert.deepEqual(it.calls, ['place', 'status', 'status', 'status', 'place']);
});

test('a refusal after a lost answer is final only when the lost request can no longer take effect', async () => {
  for (const refusal of [CHANGED, EXPIRED]) {
    const late = world({ place: [NONE, refusal, ACCEPTED], status: ['unknown', 'unknown', 'waiting'] });
    assert.deepEqual(await attempt(late, false), { is: 'accepted', lost: true });
    const never = world({ place: [NONE, refusal] });
    assert.deepEqual(await attempt(never, false), { ...refusal, lost: true });
    assert.ok(never.now() >= 30_000);
    assert.equal(never.calls.filter((it) => it === 'place').length, 2);
    assert.equal(never.calls.at(-1), 'status');
  }
});

test('without an answer it gives up after two minutes, and claims nothing', async () => {
  for (const status of ['unknown', 'unanswered', 'waiting']) {
    const it = world({ status: [status], takes: 15_000 });
    assert.deepEqual(await attempt(it, false), { is: 'unanswered', lost: true });
    assert.ok(it.now() >= 120_000 && it.now() < 160_000, String(it.now()));
  }
});
