// What survives a reload: this tab's cart, customer and checkout, in sessionStorage.

import type { Token } from './api';
import type { Cart, Customer, Line } from './cart';
import { variable } from './variable';

/**
 * One use of the checkout, for one order at most.
 *
 * `order` is the body of the request, from the moment before it is first sent. From then on neither it nor the cart
 * changes until the outcome is known. `accepted` is set by a success.
 */
export type Checkout = Token & { order?: string; accepted?: boolean };

/** What was ordered last, without the customer: it stays, so that the page of the order can show it. */
export type Receipt = { id: string; lines: Line[] };

export type Session = { cart: Cart; customer: Customer; checkout: Checkout | null; receipt: Receipt | null };

const KEY = 'crumb-street';
export const NOBODY: Customer = { name: '', email: '', phone: '' };
const EMPTY: Session = { cart: {}, customer: NOBODY, checkout: null, receipt: null };

function load(): Session {
  try {
    return { ...EMPTY, ...JSON.parse(sessionStorage.getItem(KEY) ?? '{}') };
  } catch {
    return EMPTY;
  }
}

const current = variable(load());

/** The session now. */
export const session = current.get;

/** The session, for a component. */
export const useSession = current.use;

/** Replaces these members. */
export function update(members: Partial<Session>) {
  const next = { ...session(), ...members };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Without storage the page works until it is reloaded.
  }
  current.set(next);
}
