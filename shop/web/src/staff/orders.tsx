import { useState } from 'react';
import { Link } from 'wouter';
import { products } from '../api';
import { usd } from '../money';
import { Lines, Note } from '../parts';
import { orderOf, orders, type Order } from './api';
import { Loaded, Refused, StaffScreen, Time, useReply } from './parts';

/** The retries of an order end after this time, in ms: one that is still pending needs an operator. */
const GIVEN_UP = 40 * 60_000;

/** The status, in words and with a class of `page.css`. */
function statusOf({ status, reason, time }: Order): [string, 'good' | 'bad' | 'wait'] {
  if (status === 'confirmed') return ['Confirmed', 'good'];
  if (status === 'rejected') return [reason === 'out_of_stock' ? 'Rejected: sold out' : 'Rejected', 'bad'];
  return Date.now() - time.getTime() > GIVEN_UP ? ['Stuck', 'bad'] : ['Pending', 'wait'];
}

function Status({ of }: { of: Order }) {
  const [text, kind] = statusOf(of);
  return <span className={`status ${kind}`}>{text}</span>;
}

const cookies = ({ lines }: Order) => lines.reduce((sum, { quantity }) => sum + quantity, 0);

export const OrdersScreen = () => <StaffScreen title="Orders"><Orders /></StaffScreen>;

function Orders() {
  const { reply, setReply, load } = useReply(() => orders());
  const [isLoading, setLoading] = useState(false);
  const [more, setMore] = useState<Awaited<ReturnType<typeof orders>>>();

  async function loadMore() {
    if (isLoading || reply?.is !== 'ok') return;
    setLoading(true);
    const next = await orders(reply.value.next);
    setLoading(false);
    setMore(next);
    if (next.is === 'ok') setReply({ is: 'ok', value: { orders: [...reply.value.orders, ...next.value.orders], next: next.value.next } });
  }

  return (
    <Loaded reply={reply} what="The orders could not be loaded" load={load}>
      {({ orders, next }) => (orders.length === 0 ? <p className="empty">There are no orders yet.</p> : (
        <>
          <table className="rows">
            <thead><tr><th scope="col">Customer</th><th scope="col">Placed</th><th scope="col">Total</th></tr></thead>
            <tbody>
              {orders.map((it) => (
                <tr key={it.id}>
                  <th scope="row"><span><Link href={`/orders/${it.id}`}>{it.name}</Link> <small className="code">{it.id.slice(0, 8)}</small></span></th>
                  <td><Time at={it.time} /> <small>{cookies(it)} {cookies(it) === 1 ? 'cookie' : 'cookies'}</small></td>
                  <td>{usd(it.total)} <small><Status of={it} /></small></td>
                </tr>
              ))}
            </tbody>
          </table>
          <div role="status">
            {isLoading && <p className="help">Loading…</p>}
            {!isLoading && more?.is === 'refused' && <Note kind="bad"><Refused refusal={more} what="The older orders could not be loaded" /></Note>}
            {!isLoading && more?.is === 'ok' && <p className="unseen">{orders.length} orders are shown.</p>}
          </div>
          {next && <p><button type="button" onClick={loadMore} aria-disabled={isLoading}>Older orders</button></p>}
        </>
      ))}
    </Loaded>
  );
}

export function OrderScreen({ id }: { id: string }) {
  return (
    <StaffScreen title={`Order ${id.slice(0, 8)}`} className="order">
      <One id={id} />
      <p className="actions"><Link href="/orders" className="button">All orders</Link></p>
    </StaffScreen>
  );
}

function One({ id }: { id: string }) {
  const { reply, load } = useReply(() => orderOf(id));
  // An order has no pictures, and its products may be gone from the catalogue.
  const { reply: catalogue } = useReply(async () => ({ is: 'ok', value: await products() ?? [] }));
  const pictures = catalogue?.is === 'ok' ? catalogue.value : [];
  return (
    <Loaded reply={reply} what="The order could not be loaded" load={load}>
      {(order) => (
        <>
          {statusOf(order)[0] === 'Stuck' && <Note kind="bad"><p>The shop has given up on this order. An operator has to finish or reject it.</p></Note>}
          <dl>
            <dt>Status</dt><dd><Status of={order} /></dd>
            <dt>Placed</dt><dd><Time at={order.time} /></dd>
            <dt>Customer</dt><dd>{order.name}</dd>
            <dt>Email</dt><dd>{order.email}</dd>
            <dt>Phone</dt><dd>{order.phone}</dd>
            <dt>Number</dt><dd className="code">{order.id}</dd>
          </dl>
          <Lines lines={order.lines.map((line) => ({ ...line, image: pictures.find(({ id }) => id === line.product)?.image ?? 'cookie.svg' }))} />
        </>
      )}
    </Loaded>
  );
}
