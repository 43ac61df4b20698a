// The routes of the shop's API, each with the answers that the page distinguishes.

import type { Product } from './cart';
import { parsePrice } from './money';

/** How long an answer may take, in ms. API Gateway gives up after 29 s, and the functions after 12 s. */
const PATIENCE = 15_000;

/** An answer; its status is null if there was none. Its body is null unless it is a JSON object. */
export type Answer = { status: number | null; body: Record<string, unknown> | null };

/**
 * What `/config.json` says: where the API is, and for signing in, the origin that the API knows the page by, the URL of
 * the user pool's domain, and the page's client ID. Without these the shop works, except for signing in.
 */
export type Configuration = { apiUrl: string; siteUrl?: string; signInUrl?: string; clientId?: string };

export let configuration: Configuration = { apiUrl: '' };

/** Loads the configuration; false if that fails. */
export async function configure(): Promise<boolean> {
  const { status, body } = await ask('/config.json');
  if (status !== 200 || typeof body?.apiUrl !== 'string') return false;
  configuration = { ...body, apiUrl: body.apiUrl.replace(/\/$/, '') };
  return true;
}

/** Calls a route of the API. */
export const call = (path: string, init?: RequestInit) => ask(configuration.apiUrl + path, init);

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
  const { status, body } = await call('/products');
  return status === 200 ? list(body?.products, product) : undefined;
}

/** Reads each item of an array; undefined if one of them cannot be read. */
export function list<T>(items: unknown, read: (item: Record<string, unknown>) => T | undefined): T[] | undefined {
  if (!Array.isArray(items)) return undefined;
  const all = items.map(read);
  return all.every((it) => it !== undefined) ? all : undefined;
}

/** Reads a product as the API writes it. */
export function product(it: Record<string, unknown>): Product | undefined {
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
  const { status, body } = await call('/checkout-token');
  const id = status === 200 && typeof body?.token === 'string' && jti(body.token);
  return id ? { token: body.token as string, id } : undefined;
}

/** The `jti` of a token. */
export function jti(token: string): string | undefined {
  const { jti } = claims(token);
  return typeof jti === 'string' ? jti : undefined;
}

/** The claims of a JWT, or none if it is not one. The page verifies nothing: the API does. */
export function claims(token: string): Record<string, unknown> {
  try {
    const bytes = atob((token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/'));
    return parse(new TextDecoder().decode(Uint8Array.from(bytes, (it) => it.charCodeAt(0)))) ?? {};
  } catch {
    return {};
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
  const { status, body } = await call('/orders', { method: 'POST', headers, body: order });
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
  const { status, body } = await call(`/orders/status/${encodeURIComponent(id)}`);
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
