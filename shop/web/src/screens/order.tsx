import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { orderStatus, type Status } from '../api';
import { settle } from '../checkout';
import { Changes, Lines, Note, Screen, useCatalogue } from '../parts';
import { session, useSession } from '../session';

/** How long to ask, in ms. */
const PATIENCE = 120_000;

/** The status of an order, asked for until it is final; `silent` if that takes too long. */
function useOrderStatus(id: string) {
  const [turn, setTurn] = useState(0);
  const [status, setStatus] = useState<Status | 'silent'>('waiting');
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    const end = Date.now() + PATIENCE;
    // The order of this tab is known to exist, even if the service does not show it yet.
    const { checkout } = session();
    const isMine = checkout?.id === id && checkout.accepted;
    const ask = async (pause: number) => {
      const status = await orderStatus(id);
      if (isGone) return;
      const isFinal = !['waiting', 'unanswered', isMine && 'unknown'].includes(status);
      if (isFinal) {
        settle(id, status);
        setStatus(status);
      } else if (Date.now() >= end) {
        setStatus('silent');
      } else {
        timer = setTimeout(ask, pause, Math.min(pause * 1.5, 5000));
      }
    };
    setStatus('waiting');
    ask(1000);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [id, turn]);
  return { status, again: () => setTurn((it) => it + 1) };
}

const TITLES: Record<Status | 'silent', string> = {
  waiting: 'Your order has arrived',
  confirmed: 'Your order is confirmed',
  sold_out: 'Sold out before your order',
  refused: 'Your order was not accepted',
  failed: 'Your order needs our help',
  unknown: 'There is no such order',
  unanswered: 'Your order has arrived',
  silent: 'No news of your order yet',
};

export function Order({ id }: { id: string }) {
  const { status, again } = useOrderStatus(id);
  const { receipt } = useSession();
  const { changes } = useCatalogue(status === 'sold_out');
  const lines = receipt?.id === id ? receipt.lines : undefined;
  return (
    <Screen title={TITLES[status]} className="order">
      <div role="status"><Text status={status} /></div>
      <p className="number">Order number <strong>{id}</strong></p>
      <Changes changes={changes} />
      {lines && (status === 'waiting' || status === 'confirmed' || status === 'failed' || status === 'silent') && <Lines lines={lines} />}
      <p className="actions">
        {status === 'silent' && <button type="button" className="primary" onClick={again}>Ask again</button>}
        {status === 'confirmed' && <button type="button" onClick={() => print()}>Print</button>}
        {(status === 'sold_out' || status === 'refused') && <Link href="/checkout" className="button primary">Back to the checkout</Link>}
        <Link href="/" className="button">See the cookies</Link>
      </p>
    </Screen>
  );
}

function Text({ status }: { status: Status | 'silent' }) {
  switch (status) {
    case 'confirmed':
      return <Note kind="good"><p>Thank you! Your cookies are set aside. Keep the number, or this page’s address.</p></Note>;
    case 'sold_out':
      return <Note kind="bad"><p>Nothing was ordered: another customer took the last cookies a moment before you.</p></Note>;
    case 'refused':
      return <Note kind="bad"><p>Nothing was ordered: the checkout had ended. You can place the order again.</p></Note>;
    case 'failed':
      return <Note kind="bad"><p><strong>Please do not order again.</strong> Something went wrong on our side, and we will complete or cancel this order by hand. Tell us its number if you ask about it.</p></Note>;
    case 'unknown':
      return <Note kind="bad"><p>We have no order with this number. An order can be looked up for 90 days.</p></Note>;
    case 'silent':
      return <Note kind="wait"><p>Your order is not lost. Please do not order again: keep the number, and ask again in some minutes.</p></Note>;
    default:
      return <Note kind="wait"><p>We are setting your cookies aside…</p></Note>;
  }
}
