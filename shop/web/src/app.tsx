import { lazy, Suspense, useState } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { count } from './cart';
import { About } from './screens/about';
import { Catalogue } from './screens/catalogue';
import { Checkout } from './screens/checkout';
import { Lost } from './screens/lost';
import { Order } from './screens/order';
import { Unavailable } from './parts';
import { useSession } from './session';
import { signOut, useUser } from './user';

// A file that is missing, such as after an update of the page, is asked for again by a reload.
const Staff = lazy(() => import('./staff').catch(() => ({ default: () => <Unavailable onRetry={() => location.reload()} /> })));
const STAFF = /^\/(orders|stock|reports?|signin|callback|signed-out)(?=\/|$)/;

export function App() {
  return (
    <>
      <Header />
      <Switch>
        <Route path="/"><Catalogue /></Route>
        <Route path="/products"><Redirect to="/" replace /></Route>
        <Route path="/home"><Redirect to="/" replace /></Route>
        <Route path="/about"><About /></Route>
        <Route path="/checkout"><Checkout /></Route>
        <Route path="/order/:id">{({ id }) => <Order key={id} id={id} />}</Route>
        <Route path={STAFF}><Suspense><Staff /></Suspense></Route>
        <Route><Lost /></Route>
      </Switch>
      <footer>
        <div>
          <p>Prices are in US dollars. This shop is a demonstration: it takes no payment and sends no cookies.</p>
          <Link href="/orders">For staff</Link>
        </div>
      </footer>
    </>
  );
}

function Header() {
  const [path] = useLocation();
  const { cart } = useSession();
  const cookies = count(cart);
  const user = useUser();
  const current = (to: string) => (path === to ? 'page' : undefined);
  return (
    <header>
      <Link href="/" className="brand">
        <img src="/images/logo.svg" alt="" width="40" height="40" />
        Crumb Street
      </Link>
      <nav aria-label="Shop">
        <Link href="/" aria-current={current('/')}>Cookies</Link>
        <Link href="/about" aria-current={current('/about')}>About</Link>
        <Link href="/checkout" aria-current={current('/checkout')} className="cart" aria-label={`Cart, ${cookies} in it`}>
          Cart <span className="badge" aria-hidden="true">{cookies}</span>
        </Link>
      </nav>
      {user.is === 'in' && (
        <div className="staff-bar">
          <nav aria-label="Staff">
            <Link href="/orders" aria-current={current('/orders')}>Orders</Link>
            <Link href="/stock" aria-current={current('/stock')}>Stock</Link>
            <Link href="/reports" aria-current={current('/reports')}>Reports</Link>
          </nav>
          <p>{user.email} <small>{user.isAdmin ? 'Administrator' : 'Employee'}</small></p>
          <SignOut />
        </div>
      )}
    </header>
  );
}

function SignOut() {
  const [state, setState] = useState<'idle' | 'busy' | 'failed'>('idle');
  async function go() {
    if (state === 'busy') return;
    setState('busy');
    if (!await signOut()) setState('failed');
  }
  return (
    <>
      <button type="button" onClick={go} aria-disabled={state === 'busy'}>Sign out</button>
      {state === 'failed' && <p role="alert" className="problem">You are still signed in: the shop does not answer. Try again.</p>}
    </>
  );
}
