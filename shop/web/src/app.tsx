import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { count } from './cart';
import { About } from './screens/about';
import { Catalogue } from './screens/catalogue';
import { Checkout } from './screens/checkout';
import { Lost } from './screens/lost';
import { Order } from './screens/order';
import { useSession } from './session';

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
        <Route><Lost /></Route>
      </Switch>
      <footer>
        <p>Prices are in US dollars. This shop is a demonstration: it takes no payment and sends no cookies.</p>
      </footer>
    </>
  );
}

function Header() {
  const [path] = useLocation();
  const { cart } = useSession();
  const cookies = count(cart);
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
    </header>
  );
}
