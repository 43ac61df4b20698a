// What several screens are made of.

import { useEffect, useRef, useState, type InputHTMLAttributes, type ReactNode, type SyntheticEvent } from 'react';
import { products } from './api';
import { correct, total, type Line, type Product } from './cart';
import { isOpen } from './checkout';
import { usd } from './money';
import { session, update } from './session';

/** False until a screen was shown: the first one leaves the focus where the browser puts it. */
let hasNavigated = false;

/** A screen: its heading gets the focus after a navigation, so that a screen reader announces it. */
export function Screen({ title, children, className }: { title: string; children: ReactNode; className?: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Crumb Street`;
  }, [title]);
  useEffect(() => {
    if (hasNavigated) {
      scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    return () => { hasNavigated = true; };
  }, []);
  return (
    <main className={className}>
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      {children}
    </main>
  );
}

/** A message. `kind` also gives it a sign, so that its meaning does not depend on colour. Announced inside `role=status`. */
export function Note({ kind, children }: { kind: 'good' | 'bad' | 'wait'; children: ReactNode }) {
  return <div className={`note ${kind}`}>{children}</div>;
}

/** Shown instead of the shop if its configuration is missing. */
export function Unavailable({ onRetry }: { onRetry: () => void }) {
  return (
    <Screen title="The shop is closed for a moment">
      <Note kind="bad"><p role="alert">The shop could not be loaded. Check your connection, or try again in a minute.</p></Note>
      <p><button type="button" className="primary" onClick={onRetry}>Try again</button></p>
    </Screen>
  );
}

/** The picture of a product, or a plain cookie if it cannot be loaded. */
export function Picture({ image }: { image: string }) {
  const fall = ({ currentTarget: it }: SyntheticEvent<HTMLImageElement>) => {
    if (!it.src.endsWith('/images/cookie.svg')) it.src = '/images/cookie.svg';
  };
  return <img src={`/images/${image}`} alt="" width="240" height="240" onError={fall} />;
}

type FieldProps = { id: string; label: string; problem: string | undefined; help?: string } & InputHTMLAttributes<HTMLInputElement>;

/** A field of a form with its label, and what is wrong with it. */
export function Field({ id, label, problem, help, ...input }: FieldProps) {
  const notes = [help && `${id}-help`, problem && `${id}-problem`].filter(Boolean).join(' ');
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} required aria-invalid={problem ? true : undefined} aria-describedby={notes || undefined} {...input} />
      {help && <span id={`${id}-help`} className="help">{help}</span>}
      {problem && <span id={`${id}-problem`} className="problem">{problem}</span>}
    </p>
  );
}

/** The lines of a cart or an order, with their amounts and the total. */
export function Lines({ lines }: { lines: (Line & { image?: string })[] }) {
  return (
    <table className="lines">
      <thead>
        <tr><th scope="col">Cookie</th><th scope="col">Quantity</th><th scope="col">Amount</th></tr>
      </thead>
      <tbody>
        {lines.map((line, i) => (
          <tr key={i}>
            <th scope="row">{line.image && <Picture image={line.image} />}<span>{line.name} <small>{usd(line.price)} each</small></span></th>
            <td>{line.quantity}</td>
            <td>{usd(total([line]))}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr><th scope="row" colSpan={2}>Total</th><td>{usd(total(lines))}</td></tr>
      </tfoot>
    </table>
  );
}

/** What changed in the cart. */
export function Changes({ changes }: { changes: string[] }) {
  return (
    <div role="status">
      {changes.length > 0 && (
        <Note kind="wait">
          <p>Your cart was corrected:</p>
          <ul>{changes.map((it) => <li key={it}>{it}</li>)}</ul>
        </Note>
      )}
    </div>
  );
}

export type Catalogue = {
  /** Undefined while they load, null if they could not be loaded. */
  products: Product[] | undefined | null;
  /** What had to change in the cart. */
  changes: string[];
  load: () => void;
};

/** Loads the products, and corrects the cart by them, unless an order is open. */
export function useCatalogue(isWanted = true): Catalogue {
  const [turn, setTurn] = useState(0);
  const [loaded, setLoaded] = useState<Product[] | undefined | null>();
  const [changes, setChanges] = useState<string[]>([]);
  useEffect(() => {
    if (!isWanted) return;
    let isGone = false;
    setLoaded(undefined);
    products().then((it) => {
      if (isGone) return;
      setLoaded(it ?? null);
      const { cart, checkout } = session();
      if (!it || isOpen(checkout)) return;
      const corrected = correct(cart, it);
      setChanges(corrected.changes);
      if (corrected.changes.length > 0) update({ cart: corrected.cart });
    });
    return () => { isGone = true; };
  }, [turn, isWanted]);
  return { products: loaded, changes, load: () => setTurn((it) => it + 1) };
}
