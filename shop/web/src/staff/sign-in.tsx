import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { configuration } from '../api';
import { Note, Screen } from '../parts';
import { finish, signIn, type Finished } from '../user';
import { SignInButton } from './parts';

/** Where a sign-in leads that was not begun on a staff screen. */
const HOME = '/orders';

/** Leads to the sign-in page at once. */
export function SignIn() {
  useEffect(() => {
    if (configuration.signInUrl) signIn(HOME).catch(() => {});
  }, []);
  return (
    <Screen title="Sign in">
      <SignInButton to={HOME}>The sign-in page should open by itself.</SignInButton>
    </Screen>
  );
}

/** Where the sign-in page leads back to. */
export function Callback() {
  const [finished, setFinished] = useState<Finished>();
  const [, navigate] = useLocation();
  useEffect(() => {
    finish().then((it) => {
      setFinished(it);
      if (it.is === 'in') navigate(it.to, { replace: true });
    });
  }, [navigate]);
  const is = finished?.is ?? 'in';
  return (
    <Screen title="Sign in">
      <div role="status">
        {is === 'in' && <Note kind="wait"><p>Signing you in…</p></Note>}
        {is === 'refused' && <Note kind="bad"><p>You are not signed in: the sign-in was refused, or took too long.</p></Note>}
        {is === 'unanswered' && <Note kind="bad"><p>You are not signed in: the shop does not answer. Try again in a minute.</p></Note>}
        {is === 'stray' && <Note kind="bad"><p>You are not signed in: this sign-in was not begun in this tab, or it has ended already.</p></Note>}
      </div>
      {is !== 'in' && <SignInButton to={HOME}>You can begin again.</SignInButton>}
    </Screen>
  );
}

export function SignedOut() {
  return (
    <Screen title="You are signed out">
      <p>To see orders or change the stock in this browser, sign in again.</p>
      <p className="actions">
        <Link href="/" className="button primary">See the cookies</Link>
        <Link href={HOME} className="button">Sign in again</Link>
      </p>
    </Screen>
  );
}
