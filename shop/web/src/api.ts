// The routes of the shop's API, each with the answers that the page distinguishes.

import type { Product } from './cart';
import { parsePrice } from './money';

/** How long an answer may take, in ms. API Gateway gives up after 29 s, and the functions after 12 s. */
const PATIENCE = 15_000;

/** An answer; its status is null if there was none. Its body is null unless it is a JSON object. */
type Answer = { status: number | null; body: Record<string, unknown> | null };

let base = '';

/** Loads `/config.json`, which says under which path of this origin the API is; false without it. */
export async function configure(): Promise<boolean> {
  const { status, body } = await ask('/config.json');
  if (status !== 200 || typeof body?.apiUrl !== 'string') return false;
  base = body.apiUrl.replace(/\/$/, '');
  return true;
}

async function ask(url: string, init?: RequestInit): Promise<Answer> {
  try {
    // A redirect is not followed: it could carry the token elsewhere.
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await fetch(url, { cache: 'no-store', credentials: 'omit', redirect: 'manual', signal, ...init });
    const text = await response.text();
    return { status: response.status, body: parse(text) };
  } catch {
    return { status: null, body: null };
  }
}

function parse(text: string): Answer['body'] {
  try {
    const value: unknown = JSON.parse(text);
    return value?.constructor === Object ? (value as Answer['body']) : null;
  } catch {
    return null;
  }
}

/** The products, or undefined if there is no answer that can be used. */
export async function products(): Promise<Product[] | undefined> {
  const { status, body } = await ask(`${base}/products`);
  if (status !== 200 || !Array.isArray(body?.products)) return undefined;
  const all = body.products.map(product);
  return all.every((it) => it !== undefined) ? all : undefined;
}

function product(it: Record<string, unknown>): Product | undefined {
  const { id, product_name: name, description = '', inventory_count: stock, image } = it;
  const price = parsePrice(it.price);
  const isProduct = [id, name, description, image].every((member) => typeof member === 'string');
  if (!isProduct || price === undefined || !Number.isSafeInteger(stock)) return undefined;
  return { id, name, description, price, stock, image } as Product;
}

/** A one-time token for an order, and its `jti`, which becomes the order's id. */
export type Token = { token: string; id: string };

/** A new checkout token, or undefined. */
export async function checkoutToken(): Promise<Token | undefined> {
  const { status, body } = await ask(`${base}/checkout-token`);
  const id = status === 200 && typeof body?.token === 'string' && jti(body.token);
  return id ? { token: body.token as string, id } : undefined;
}

/** The `jti` of a token. The page verifies nothing: the API does. */
export function jti(token: string): string | undefined {
  try {
    const claims = JSON.parse(atob((token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/')));
    return typeof claims.jti === 'string' ? claims.jti : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The outcome of `POST /orders`:
 * - `accepted`: the order is placed.
 * - `changed`: nothing is ordered, because a price changed or a product is no longer sold.
 * - `taken`: the token already placed another order.
 * - `refused`: nothing is ordered, because of the token (`token`) or of what was sent (`order`).
 * - `unanswered`: it is unknown whether the order is placed.
 */
export type Placed =
  | { is: 'accepted' | 'changed' | 'taken' | 'unanswered' }
  | { is: 'refused'; because: 'token' | 'order'; message: string };

/** Places an order. */
export async function placeOrder(token: string, order: string): Promise<Placed> {
  const headers = { 'Content-Type': 'application/json', 'X-Access-Token': token };
  const { status, body } = await ask(`${base}/orders`, { method: 'POST', headers, body: order });
  const message = typeof body?.message === 'string' ? body.message : '';
  if (status === 202 && typeof body?.order_id === 'string') return { is: 'accepted' };
  // A refusal without a reason is not from the API.
  if (typeof body?.reason !== 'string') return { is: 'unanswered' };
  if (status === 409) return { is: 'changed' };
  if (status === 401 && body.reason === 'already_used') return { is: 'taken' };
  if (status === 401) return { is: 'refused', because: 'token', message };
  if (status === 400 || status === 413) return { is: 'refused', because: 'order', message };
  // A 503 does not say whether the order was placed.
  return { is: 'unanswered' };
}

/** How far an order is. `unknown`: there is no such order; `unanswered`: ask again. */
export type Status = 'waiting' | 'confirmed' | 'sold_out' | 'refused' | 'failed' | 'unknown' | 'unanswered';

/** The status of the order `id`. */
export async function orderStatus(id: string): Promise<Status> {
  const { status, body } = await ask(`${base}/orders/status/${encodeURIComponent(id)}`);
  if (status === 404 && typeof body?.reason === 'string') return 'unknown';
  if (status !== 200) return 'unanswered';
  switch (body?.status) {
    case 'RUNNING': return 'waiting';
    case 'SUCCEEDED': return 'confirmed';
    case 'FAILED': return body.reason === 'out_of_stock' ? 'sold_out' : body.reason === 'token_refused' ? 'refused' : 'failed';
    case 'TIMED_OUT': case 'ABORTED': return 'failed';
    default: return 'unanswered';
  }
}
