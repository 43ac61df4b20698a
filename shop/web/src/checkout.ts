// The checkout of this tab: its token, its one order, and what remains of it.

import { checkoutToken, orderStatus, placeOrder, type Status } from './api';
import { attempt, type Outcome } from './attempt';
import { orderBody } from './cart';
import { NOBODY, session, update, type Checkout } from './session';

/** Ends early when the network is back. */
const pause = (milliseconds: number) => new Promise<void>((resolve) => {
  const timer = setTimeout(done, milliseconds);
  function done() {
    clearTimeout(timer);
    removeEventListener('online', done);
    resolve();
  }
  addEventListener('online', done);
});

// In variables of the module, because a component may mount twice or be opened again while a request runs.
let taking: Promise<void> | undefined;
let placing: Promise<Result> | undefined;

/** An outcome, with the id of the order if there is one. */
export type Result = Outcome & { id?: string };

/** Takes a token for the checkout, unless there is one. It may fail: the order then tries again. */
export function prepare(): Promise<void> {
  return (taking ??= take().finally(() => taking = undefined));
}

async function take() {
  if (session().checkout) return;
  const token = await checkoutToken();
  if (token) update({ checkout: token });
}

/** Whether an order was sent whose outcome the page does not know yet. The cart does not change until then. */
export const isOpen = (checkout: Checkout | null) => checkout?.order !== undefined;

/** Places the order, or continues to. A second call gets the outcome of the first. */
export function place(): Promise<Result> {
  return (placing ??= run().finally(() => placing = undefined));
}

async function run(isSecond = false): Promise<Result> {
  await prepare();
  const { cart, customer, checkout } = session();
  if (!checkout) return { is: 'unanswered', lost: false };
  const { token, id, order = orderBody(cart, customer), accepted } = checkout;
  if (accepted) return { is: 'accepted', lost: false, id };
  const wasSent = isOpen(checkout);
  // Stored before it is sent: a page that is reloaded in between knows that there may be an order.
  if (!wasSent) update({ checkout: { token, id, order }, receipt: { id, lines: Object.values(cart) } });
  const world = { place: () => placeOrder(token, order), status: () => orderStatus(id), now: Date.now, pause };
  const outcome = await attempt(world, wasSent);
  if (outcome.is === 'accepted') update({ checkout: { token, id, order, accepted: true } });
  else if (outcome.is !== 'unanswered') update({ checkout: null, receipt: null });
  // The token was refused at once: it expired while the customer filled in the form. Nothing was ordered.
  const isStale = outcome.is === 'refused' && outcome.because === 'token' && !outcome.lost;
  return isStale && !isSecond ? run(true) : { ...outcome, id };
}

/** Clears what an order leaves behind, once its outcome is known. */
export function settle(id: string, status: Status) {
  if (session().checkout?.id !== id) return;
  if (status === 'confirmed' || status === 'failed') update({ cart: {}, customer: NOBODY, checkout: null });
  if (status === 'sold_out' || status === 'refused') update({ checkout: null });
}
