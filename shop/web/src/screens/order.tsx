import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { orderStatus, type Status } from '../api';
import { settle } from '../checkout';
import { Changes, Lines, Note, Screen, useCatalogue } from '../parts';
import { session, useSession } from '../session';

/** How long to ask, in ms. */
const PATIENCE = 120_000;

/** What is known of an order: nothing yet, its status, or nothing for too long. */
type Known = 'asking' | Exclude<Status, 'unanswered'> | 'silent';

/** The status of an order, asked for until it is final. */
function useOrderStatus(id: string) {
  const [turn, setTurn] = useState(0);
  const [known, setKnown] = useState<Known>('asking');
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
      const isOpen = status === 'waiting' || status === 'unanswered' || (status === 'unknown' && isMine);
      if (!isOpen) {
        settle(id, status);
        return setKnown(status);
      }
      if (Date.now() >= end) return setKnown('silent');
      if (status === 'waiting') setKnown(status);
      timer = setTimeout(ask, pause, Math.min(pause * 1.5, 5000));
    };
    setKnown(isMine ? 'waiting' : 'asking');
    ask(1000);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [id, turn]);
  return { known, again: () => setTurn((it) => it + 1) };
}

const TITLES: Record<Known, string> = {
  asking: 'Your order',
  waiting: 'Your order has arrived',
  confirmed: 'Your order is confirmed',
  sold_out: 'Sold out before your order',
  refused: 'Your order was not accepted',
  failed: 'Your order needs our help',
  unknown: 'There is no such order',
  silent: 'No news of your order yet',
};

/** The outcomes after which the customer can try again. */
const NOT_ORDERED: Known[] = ['sold_out', 'refused'];

export function Order({ id }: { id: string }) {
  const { known, again } = useOrderStatus(id);
  const { receipt } = useSession();
  const { changes } = useCatalogue(known === 'sold_out');
  const lines = receipt?.id === id ? receipt.lines : undefined;
  return (
    <Screen title={TITLES[known]} className="order">
      <div role="status"><Text known={known} /></div>
      <p className="number">Order number <strong>{id}</strong></p>
      <Changes changes={changes} />
      {lines && !NOT_ORDERED.includes(known) && <Lines lines={lines} />}
      <p className="actions">
        {known === 'silent' && <button type="button" className="primary" onClick={again}>Ask again</button>}
        {known === 'confirmed' && <button type="button" onClick={() => print()}>Print</button>}
        {NOT_ORDERED.includes(known) && <Link href="/checkout" className="button primary">Back to the checkout</Link>}
        <Link href="/" className="button">See the cookies</Link>
      </p>
    </Screen>
  );
}

function Text({ known }: { known: Known }) {
  switch (known) {
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
      return <Note kind="wait"><p>The shop does not answer, or your order takes longer than usual. Please do not order again: keep the number, and ask again in some minutes.</p></Note>;
    case 'asking':
      return <Note kind="wait"><p>Looking up your order…</p></Note>;
    case 'waiting':
      return <Note kind="wait"><p>We are setting your cookies aside…</p></Note>;
  }
}
