// The rules that make one order of one click on "Place order", whatever happens to the answers.

import type { Placed, Status } from './api';

/** What an attempt needs of the world. */
export type World = {
  place(): Promise<Placed>;
  status(): Promise<Status>;
  /** The time in ms. */
  now(): number;
  pause(milliseconds: number): Promise<void>;
};

/** How long to look for an answer before the customer is asked to try again, in ms. */
const PATIENCE = 120_000;
/** After this time, in ms, a request without an answer can no longer take effect: API Gateway ends it after 29 s. */
const SETTLED = 30_000;

/** An outcome. `lost` says that an answer was missing before. */
export type Outcome = Placed & { lost: boolean };

/**
 * Sends an order with its token until its outcome is known.
 *
 * While an answer is missing (`isLost`: already at the start), it asks for the order's status, and then sends the same
 * order with the same token again. If there is such an order, the answer says whether it is this one: a copy of the tab
 * has the same token. If there is none, a refusal is final only when no earlier request can still take effect.
 */
export async function attempt(world: World, isLost: boolean): Promise<Outcome> {
  const end = world.now() + PATIENCE;
  let lostAt = isLost ? world.now() : undefined;
  let refusal: Placed | undefined;
  for (let pause = 1000; ; pause = Math.min(pause * 1.5, 5000)) {
    const status = lostAt === undefined ? 'unknown' : await world.status();
    const isThere = status !== 'unknown' && status !== 'unanswered';
    if (status === 'unknown' && refusal && world.now() >= lostAt! + SETTLED) return { ...refusal, lost: true };
    if (isThere || (status === 'unknown' && !refusal)) {
      const placed = await world.place();
      const isFinal = placed.is === 'accepted' || placed.is === 'taken' || lostAt === undefined;
      if (placed.is === 'unanswered') lostAt = world.now();
      else if (isFinal) return { ...placed, lost: lostAt !== undefined };
      else refusal = placed;
    }
    if (world.now() >= end) return { is: 'unanswered', lost: true };
    await world.pause(pause);
  }
}
