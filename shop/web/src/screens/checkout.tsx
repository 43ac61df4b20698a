import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Link, useLocation } from 'wouter';
import { obstacle, problems } from '../cart';
import { isOpen, place, prepare, type Result } from '../checkout';
import { Changes, Field, Lines, Note, Screen, useCatalogue } from '../parts';
import { session, update, useSession } from '../session';

const FIELDS = [
  { name: 'name', label: 'Name', type: 'text', autoComplete: 'name' },
  { name: 'email', label: 'Email', type: 'email', autoComplete: 'email' },
  { name: 'phone', label: 'Phone', type: 'tel', autoComplete: 'tel' },
] as const;

export function Checkout() {
  const { cart, customer, checkout } = useSession();
  const [, navigate] = useLocation();
  const [isPlacing, setPlacing] = useState(false);
  const [result, setResult] = useState<Result>();
  const [isChecked, setChecked] = useState(false);
  const { changes, load } = useCatalogue();
  const summary = useRef<HTMLDivElement>(null);
  const isSent = isOpen(checkout);
  const why = obstacle(cart);
  const found = isChecked ? problems(customer) : {};

  // Someone who has left this screen meanwhile stays where they are.
  const isHere = useRef(true);
  useEffect(() => {
    isHere.current = true;
    return () => { isHere.current = false; };
  }, []);

  async function send() {
    setResult(undefined);
    setPlacing(true);
    const result = await place();
    if (!isHere.current) return;
    setPlacing(false);
    setResult(result);
    // With `replace`, Back leads to the cookies and not to an order that is placed.
    if (result.is === 'accepted') navigate(`/order/${result.id}`, { replace: true });
    else if (result.is === 'changed') load();
  }

  // An order that was sent before the page was reloaded or opened again.
  useEffect(() => {
    if (isOpen(session().checkout)) send();
    else if (!obstacle(session().cart)) prepare();
  }, []);

  // The summary of what is wrong gets the focus after each attempt that fails.
  const [failures, setFailures] = useState(0);
  useEffect(() => { if (failures > 0) summary.current?.focus(); }, [failures]);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (isPlacing || why) return;
    setChecked(true);
    if (Object.keys(problems(session().customer)).length > 0) {
      setResult(undefined);
      setFailures(failures + 1);
    } else send();
  }

  return (
    <Screen title="Checkout" className="checkout">
      <Changes changes={changes} />
      {Object.keys(cart).length > 0 && <Lines lines={Object.values(cart)} />}
      {why && <p className="empty" id="why">{why}</p>}
      {!isSent && <p><Link href="/">{why ? 'See the cookies' : 'Change the cart'}</Link></p>}
      <form onSubmit={submit} noValidate aria-label="Checkout">
        {Object.keys(found).length > 0 && (
          <div className="note bad" ref={summary} tabIndex={-1} role="alert">
            <p>The order was not sent yet:</p>
            <ul>
              {FIELDS.map(({ name }) => found[name] && <li key={name}><a href={`#${name}`}>{found[name]}</a></li>)}
            </ul>
          </div>
        )}
        <fieldset>
          <legend>Who is it for?</legend>
          {FIELDS.map(({ name, ...field }) => (
            <Field
              key={name} id={name} {...field} value={customer[name]} readOnly={isSent} problem={found[name]}
              onChange={(event) => update({ customer: { ...session().customer, [name]: event.target.value } })}
            />
          ))}
        </fieldset>
        <p className="help">There is no payment: this shop is a demonstration and charges nothing.</p>
        <button className="primary" aria-disabled={isPlacing || why !== undefined} aria-describedby={why && 'why'}>
          {isSent && !isPlacing ? 'Ask again' : 'Place order'}
        </button>
        <div role="status">
          {isPlacing && <Placing />}
          {!isPlacing && result && <Failure result={result} />}
        </div>
      </form>
    </Screen>
  );
}

/** Says after some seconds that the answer is late. */
function Placing() {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 4000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Note kind="wait">
      <p>Placing your order…</p>
      {isLate && <p>The answer is late. We keep asking whether your order has arrived. It cannot be placed twice.</p>}
    </Note>
  );
}

/** What a result that is not a success means, and what the customer can do. */
function Failure({ result }: { result: Result }) {
  switch (result.is) {
    case 'accepted':
      return null;
    case 'changed':
      return <Note kind="bad"><p>Nothing was ordered, because the cart changed. Check the new total, and place the order again.</p></Note>;
    case 'taken':
      return (
        <Note kind="bad">
          <p>This checkout already placed another order, perhaps in a second tab. If you want this one too, place it again.</p>
          <p><Link href={`/order/${result.id}`} className="button">See the other order</Link></p>
        </Note>
      );
    case 'refused':
      return (
        <Note kind="bad">
          {result.because === 'order'
            ? <p>Nothing was ordered. The shop says: {result.message}</p>
            : <p>Nothing was ordered: the order did not reach the shop in time. You can place it again.</p>}
        </Note>
      );
    case 'unanswered':
      return (
        <Note kind="bad">
          {result.lost
            ? <p>The shop does not answer, so we do not know yet whether your order was placed. Ask again here, in this tab: it cannot be placed twice.</p>
            : <p>Nothing was ordered: the shop does not answer. Try again in a minute.</p>}
        </Note>
      );
  }
}
