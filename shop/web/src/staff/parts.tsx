// What the staff's screens are made of.

import { useEffect, useRef, useState, type ReactNode } from 'react';
import { configuration } from '../api';
import { Note, Screen } from '../parts';
import { refresh, signIn, useUser } from '../user';
import type { Refusal, Reply } from './api';

/** A screen for people who are signed in; others can sign in here, and come back. */
export function StaffScreen({ title, className, children }: { title: string; className?: string; children: ReactNode }) {
  const user = useUser();
  useEffect(() => {
    if (user.is === 'unknown') refresh();
  }, [user.is]);
  return (
    <Screen title={title} {...className && { className }}>
      {user.is === 'in' ? children : <Gate is={user.is} />}
    </Screen>
  );
}

function Gate({ is }: { is: 'unknown' | 'out' | 'unreachable' }) {
  return (
    <>
      <div role="status">
        {is === 'unknown' && <Note kind="wait"><p>Looking whether you are signed in…</p></Note>}
        {is === 'unreachable' && <Note kind="bad"><p>The shop does not answer. Try again in a minute.</p></Note>}
      </div>
      {is === 'unreachable' && <p><button type="button" className="primary" onClick={refresh}>Try again</button></p>}
      {is === 'out' && <SignInButton>This page is for the people who work here.</SignInButton>}
    </>
  );
}

/** Leads to the sign-in page and then back here, or to `to`. */
export function SignInButton({ to, children }: { to?: string; children: ReactNode }) {
  const [isFailed, setFailed] = useState(false);
  const go = () => signIn(to ?? location.pathname + location.search).catch(() => setFailed(true));
  if (!configuration.signInUrl) return <Note kind="bad"><p>Signing in is not set up for this page.</p></Note>;
  return (
    <>
      <p>{children}</p>
      <p><button type="button" className="primary" onClick={go}>Sign in</button></p>
      <div role="status">
        {isFailed && <Note kind="bad"><p>Signing in needs the storage of this browser, which it does not allow.</p></Note>}
      </div>
    </>
  );
}

/** Loads something when the screen is opened and on `load`; `reply` is undefined meanwhile. */
export function useReply<T>(ask: () => Promise<Reply<T>>) {
  const [turn, setTurn] = useState(0);
  const [reply, setReply] = useState<Reply<T>>();
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    let isGone = false;
    latest.current().then((it) => { if (!isGone) setReply(it); });
    return () => { isGone = true; };
  }, [turn]);
  return { reply, setReply, load: () => setTurn((it) => it + 1) };
}

/** Says what a refusal means. `what` completes “… could not be …”. */
export function Refused({ refusal: { reason, message }, what }: { refusal: Refusal; what: string }) {
  switch (reason) {
    case 'not_found': return <p>{what}: there is no such number.</p>;
    case 'forbidden': return <p>{what}: only administrators may do this.</p>;
    case 'busy': return <p>{what}: there are too many requests. Try again later.</p>;
    case 'invalid_request': return <p>{what}. The shop says: {message}</p>;
    default: return <p>{what}: the shop does not answer. Try again in a minute.</p>;
  }
}

/** Shows the value, or how loading it is going. */
export function Loaded<T>({ reply, what, load, children }: { reply: Reply<T> | undefined; what: string; load: () => void; children: (value: T) => ReactNode }) {
  const isLost = reply?.is === 'refused' && reply.reason !== 'not_found' && reply.reason !== 'forbidden';
  return (
    <>
      <div role="status">
        {!reply && <p className="help">Loading…</p>}
        {reply?.is === 'refused' && <Note kind="bad"><Refused refusal={reply} what={what} /></Note>}
      </div>
      {isLost && <p><button type="button" className="primary" onClick={load}>Try again</button></p>}
      {reply?.is === 'ok' && children(reply.value)}
    </>
  );
}

/** A dialog over the screen. Its children close it by the function they get; the focus goes back to where it was. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: (close: () => void) => ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="dialog-title">
      <h2 id="dialog-title">{title}</h2>
      {children(() => dialog.current?.close())}
    </dialog>
  );
}

const time = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'short' });

/** A time, shown as the local one. */
export function Time({ at }: { at: Date }) {
  return <time dateTime={at.toISOString()}>{time.format(at)}</time>;
}
