// The routes for people who are signed in.

import { call, list, product, type Answer } from '../api';
import type { Line, Product } from '../cart';
import { formatPrice, parsePrice, type Cents } from '../money';
import { callAsUser } from '../user';

/** What a route answers: the value, or why there is none. */
export type Reply<T> = { is: 'ok'; value: T } | Refusal;

/**
 * A refusal with the `reason` of the API, and its `message` for people. Two reasons are the page's own: `busy`, too many
 * requests, and `unanswered`, no answer that can be read, so that the outcome is unknown.
 */
export type Refusal = { is: 'refused'; reason: string; message: string; usedAt?: string };

function reply<T>({ status, body }: Answer, read: (body: Record<string, unknown>) => T | undefined): Reply<T> {
  const isSuccess = status !== null && status >= 200 && status < 300;
  const value = isSuccess ? read(body ?? {}) : undefined;
  if (value !== undefined) return { is: 'ok', value };
  const { reason, message = '', usedAt } = isSuccess ? {} : body ?? {};
  return {
    is: 'refused', reason: status === 429 ? 'busy' : typeof reason === 'string' ? reason : 'unanswered', message: String(message),
    ...typeof usedAt === 'string' && { usedAt },
  };
}

const send = (method: string, body?: object): RequestInit =>
  ({ method, ...body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } });

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

/** An order, as the staff see it. */
export type Order = {
  id: string;
  status: string;
  /** Why it was rejected. */
  reason: string | undefined;
  name: string;
  email: string;
  phone: string;
  total: Cents;
  time: Date;
  lines: (Line & { product: string })[];
};

function order(it: Record<string, unknown>): Order | undefined {
  const total = parsePrice(it.total_amount);
  const time = new Date(String(it.order_time));
  const lines = list(it.ordered_items, (item) => {
    const amount = parsePrice(item.amount);
    const quantity = Number(item.quantity);
    if (amount === undefined || !(quantity > 0)) return undefined;
    return { product: String(item.product_id), name: String(item.product_name), quantity, price: amount / quantity };
  });
  if (total === undefined || !lines || Number.isNaN(time.getTime())) return undefined;
  const { id, status, reason, customer_name: name, email, phone } = it;
  return { id: String(id), status: String(status), reason: text(reason), name: String(name), email: String(email), phone: String(phone), total, time, lines };
}

/** A page of the orders, the newest first; `next` leads to the following one. */
export async function orders(before?: string): Promise<Reply<{ orders: Order[]; next: string | undefined }>> {
  const answer = await callAsUser(`/orders${before ? `?${new URLSearchParams({ before })}` : ''}`);
  return reply(answer, (body) => {
    const orders = list(body.orders, order);
    return orders && { orders, next: text(body.next) };
  });
}

/** One order. */
export const orderOf = async (id: string): Promise<Reply<Order>> =>
  reply(await callAsUser(`/orders/${encodeURIComponent(id)}`), order);

const PRODUCTS = '/staff/products';
const path = (id: string) => `${PRODUCTS}/${encodeURIComponent(id)}`;

/** The members of a product as the API reads them. */
const written = ({ name, description, price, stock, image }: Omit<Product, 'id'>) =>
  ({ product_name: name, description, price: formatPrice(price), inventory_count: stock, image });

/** All products; for administrators. */
export const stock = async (): Promise<Reply<Product[]>> =>
  reply(await callAsUser(PRODUCTS), (body) => list(body.products, product));

/** One product. */
export const productOf = async (id: string): Promise<Reply<Product>> => reply(await callAsUser(path(id)), product);

/** Adds a product. The page generates its ID, so a repeated request adds nothing, and is refused as `exists` if it differs. */
export const add = async (it: Product): Promise<Reply<Product>> =>
  reply(await callAsUser(PRODUCTS, send('POST', { id: it.id, ...written(it) })), product);

/** Changes a product, unless its stock is another one than `seen`. */
export const change = async (it: Product, seen: number): Promise<Reply<Product>> =>
  reply(await callAsUser(path(it.id), send('PUT', { ...written(it), if_inventory_count: seen })), product);

/** Takes a product off the shelf; a second time is a success as well. */
export const remove = async (id: string): Promise<Reply<true>> =>
  reply(await callAsUser(path(id), send('DELETE')), () => true as const);

/** Starts the creation of the reports; the ARN of the execution. */
export const createReports = async (): Promise<Reply<string>> =>
  reply(await callAsUser('/create-report', send('POST')), (body) => text(body.executionArn));

/** Whether they are created: `RUNNING`, `SUCCEEDED`, or the status of a failure. */
export const reportsStatus = async (arn: string): Promise<Reply<string>> =>
  reply(await callAsUser(`/create-report/status/${encodeURIComponent(arn)}`), (body) => text(body.status));

/** The addresses of the reports, which work for five minutes. */
export const reportUrls = async (arn: string): Promise<Reply<Record<string, unknown>>> =>
  reply(await callAsUser(`/get-presigned-urls/${encodeURIComponent(arn)}`), ({ urls }) => (urls ? (urls as Record<string, unknown>) : undefined));

/** Spends the token of a mailed link; the address of its report, which works for a minute. */
export const openReport = async (token: string): Promise<Reply<string>> =>
  reply(await call('/report-link', { method: 'POST', headers: { 'X-Access-Token': token } }), ({ url }) => text(url));
