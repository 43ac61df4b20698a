import { Link } from 'wouter';
import { count, inStock, isLow, limit, put, total, type Product } from '../cart';
import { isOpen } from '../checkout';
import { usd } from '../money';
import { Changes, Note, Picture, Screen, useCatalogue } from '../parts';
import { update, useSession } from '../session';

export function Catalogue() {
  const { products, changes, load } = useCatalogue();
  const { checkout } = useSession();
  const isLocked = isOpen(checkout);
  return (
    <Screen title="Cookies from our oven" className="catalogue">
      <div className="banner">
        <p>Four kinds, baked by hand in small batches. Take as many as the shelf holds.</p>
        <img src="/images/banner.svg" alt="" width="640" height="224" />
      </div>
      {isLocked && checkout && (
        <Note kind="wait">
          <p>Your last order is on its way. You can fill a new cart when its outcome is known.</p>
          <p><Link href={checkout.accepted ? `/order/${checkout.id}` : '/checkout'} className="button">See the order</Link></p>
        </Note>
      )}
      <Changes changes={changes} />
      <div role="status">
        {products === null && <Note kind="bad"><p>The cookies could not be loaded.</p></Note>}
        {products === undefined && <p className="unseen">Loading the cookies…</p>}
      </div>
      {products === null && <p><button type="button" className="primary" onClick={load}>Try again</button></p>}
      {products === undefined && <Skeleton />}
      {products?.length === 0 && <p className="empty">The shelf is empty today. Please come back tomorrow.</p>}
      {products && products.length > 0 && (
        <ul className="products">
          {products.map((it) => <Card key={it.id} product={it} isLocked={isLocked} />)}
        </ul>
      )}
      <CartBar />
    </Screen>
  );
}

function Skeleton() {
  return (
    <ul className="products" aria-hidden="true">
      {[1, 2, 3, 4].map((it) => <li key={it} className="card skeleton" />)}
    </ul>
  );
}

function Card({ product, isLocked }: { product: Product; isLocked: boolean }) {
  const { cart } = useSession();
  const quantity = cart[product.id]?.quantity ?? 0;
  const set = (wanted: number) => update({ cart: put(cart, product, wanted) });
  const most = limit(product);
  return (
    <li className="card">
      <Picture image={product.image} />
      <h2>{product.name}</h2>
      <p>{product.description}</p>
      <p className="price">{usd(product.price)}</p>
      <p className={isLow(product) ? 'stock low' : 'stock'}>{inStock(product)}</p>
      {most > 0 && (
        <fieldset className="stepper" disabled={isLocked}>
          <legend className="unseen">{product.name}</legend>
          <button type="button" onClick={() => set(quantity - 1)} disabled={quantity === 0} aria-label={`One ${product.name} less`}>−</button>
          <input
            type="number" inputMode="numeric" min="0" max={most} value={String(quantity)} aria-label={`Quantity of ${product.name}`}
            onChange={(event) => set(event.target.valueAsNumber)} onFocus={(event) => event.target.select()}
          />
          <button type="button" onClick={() => set(quantity + 1)} disabled={quantity >= most} aria-label={`One ${product.name} more`}>+</button>
        </fieldset>
      )}
    </li>
  );
}

function CartBar() {
  const { cart } = useSession();
  const cookies = count(cart);
  return (
    <div className="cart-bar">
      <p role="status">
        {cookies === 0 ? 'Your cart is empty.' : <>{cookies} {cookies === 1 ? 'cookie' : 'cookies'} · <strong>{usd(total(Object.values(cart)))}</strong></>}
      </p>
      {cookies > 0 && <Link href="/checkout" className="button primary">Checkout</Link>}
    </div>
  );
}
