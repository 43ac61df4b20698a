import { useRef, useState, type FormEvent } from 'react';
import { inStock, isLow, type Product } from '../cart';
import { usd } from '../money';
import { Field, Note, Picture } from '../parts';
import { useUser } from '../user';
import { add, change, productOf, remove, stock, type Refusal, type Reply } from './api';
import { Dialog, Loaded, Refused, StaffScreen, useReply } from './parts';
import { draft, isSame, problems, product, type Draft } from './product';

export const Stock = () => <StaffScreen title="Stock"><ByRole /></StaffScreen>;

function ByRole() {
  const user = useUser();
  return user.is === 'in' && user.isAdmin ? <Shelf /> : <Search />;
}

/** The dialog that is open: for a new product, or for one that is edited or deleted. */
type Task = { is: 'add' } | { is: 'edit' | 'delete'; of: Product };

/** All products, for administrators. */
function Shelf() {
  const { reply, load } = useReply(stock);
  const [task, setTask] = useState<Task>();
  const [done, setDone] = useState('');
  const addButton = useRef<HTMLButtonElement>(null);

  const begin = (task: Task) => {
    setDone('');
    setTask(task);
  };
  const onDone = (text: string) => {
    setDone(text);
    load();
    // The button that was clicked is gone with the product.
    if (task?.is === 'delete') addButton.current?.focus();
  };
  const dialog = { onDone, onClose: () => setTask(undefined) };

  return (
    <>
      <p><button ref={addButton} type="button" className="primary" onClick={() => begin({ is: 'add' })}>Add a product</button></p>
      <div role="status">{done && <Note kind="good"><p>{done}</p></Note>}</div>
      <Loaded reply={reply} what="The stock could not be loaded" load={load}>
        {(products) => (products.length === 0 ? <p className="empty">The shelf is empty.</p> : (
          <table className="rows">
            <thead><tr><th scope="col">Product</th><th scope="col">Stock</th><th scope="col"><span className="unseen">Change</span></th></tr></thead>
            <tbody>
              {products.map((it) => (
                <tr key={it.id}>
                  <th scope="row"><Picture image={it.image} /><span>{it.name} <small>{usd(it.price)} · number {it.id}</small></span></th>
                  <td className={isLow(it) ? 'low' : ''}>{inStock(it)}</td>
                  <td>
                    <button type="button" onClick={() => begin({ is: 'edit', of: it })} aria-label={`Edit ${it.name}`}>Edit</button>
                    <button type="button" onClick={() => begin({ is: 'delete', of: it })} aria-label={`Delete ${it.name}`}>Delete</button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        ))}
      </Loaded>
      {task?.is === 'add' && <Edit {...dialog} />}
      {task?.is === 'edit' && <Edit of={task.of} {...dialog} />}
      {task?.is === 'delete' && <Delete of={task.of} {...dialog} />}
    </>
  );
}

type Done = { onDone: (text: string) => void; onClose: () => void };

const FIELDS = [
  { name: 'name', label: 'Name' },
  { name: 'description', label: 'Description' },
  { name: 'price', label: 'Price in US dollars', inputMode: 'decimal' },
  { name: 'stock', label: 'Stock', inputMode: 'numeric' },
  { name: 'image', label: 'Picture', help: 'The name of a file in the folder “images” of the page.' },
] as const;

const EMPTY: Draft = { name: '', description: '', price: '', stock: '0', image: 'cookie.svg' };

/** Adds a product, or edits the one of `of` as long as its stock is still the one that was shown. */
function Edit({ of, onDone, onClose }: { of?: Product } & Done) {
  // A new product keeps its ID while the request is repeated, so that it is added once.
  const [id] = useState(of?.id ?? crypto.randomUUID());
  const [it, setIt] = useState(of ? draft(of) : EMPTY);
  const [seen, setSeen] = useState(of?.stock ?? 0);
  const [moved, setMoved] = useState('');
  const [refusal, setRefusal] = useState<Refusal>();
  const [isBusy, setBusy] = useState(false);
  const [isChecked, setChecked] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const found = isChecked ? problems(it) : {};

  /** The product was ordered while the dialog was open. */
  function follow(now: number) {
    setMoved(`The stock has changed from ${seen} to ${now} meanwhile. Nothing was saved: check the stock and save again.`);
    setSeen(now);
    // What the administrator has not touched follows.
    if (Number(it.stock) === seen) setIt({ ...it, stock: String(now) });
  }

  /**
   * Saves the product; nothing, if its stock has changed and the form follows it.
   *
   * The answer to an earlier request may have been lost: what it did is not taken for another's.
   */
  async function write(wanted: Product): Promise<Reply<Product> | undefined> {
    const reply = await (of ? change(wanted, seen) : add(wanted));
    if (reply.is === 'ok' || (reply.reason !== 'exists' && reply.reason !== 'stock_changed')) return reply;
    const now = await productOf(id);
    if (now.is === 'refused' || isSame(now.value, wanted)) return now;
    // Nobody else knows the ID of a new product. It was edited here after it had been added.
    if (reply.reason === 'exists') return change(wanted, now.value.stock);
    follow(now.value.stock);
    return undefined;
  }

  async function save(event: FormEvent, close: () => void) {
    event.preventDefault();
    if (isBusy) return;
    setChecked(true);
    setRefusal(undefined);
    setMoved('');
    const [wrong] = Object.keys(problems(it));
    if (wrong) return form.current?.querySelector<HTMLElement>(`#${wrong}`)?.focus();
    setBusy(true);
    const wanted = product(id, it);
    const reply = await write(wanted);
    if (reply?.is === 'ok') {
      close();
      onDone(of ? `${wanted.name} was saved.` : `${wanted.name} was added.`);
    } else setRefusal(reply);
    setBusy(false);
  }

  return (
    <Dialog title={of ? `Edit ${of.name}` : 'Add a product'} onClose={onClose}>
      {(close) => (
        <form ref={form} onSubmit={(event) => save(event, close)} noValidate>
          {FIELDS.map(({ name, ...field }) => (
            <Field key={name} id={name} {...field} value={it[name]} problem={found[name]} autoComplete="off"
              onChange={(event) => setIt({ ...it, [name]: event.target.value })} />
          ))}
          <div role="status">
            {moved && <Note kind="wait"><p>{moved}</p></Note>}
            {refusal && <Note kind="bad"><Refused refusal={refusal} what={`${it.name} could not be saved`} /></Note>}
          </div>
          <p className="actions">
            <button className="primary" aria-disabled={isBusy}>Save</button>
            <button type="button" onClick={close}>Cancel</button>
          </p>
        </form>
      )}
    </Dialog>
  );
}

function Delete({ of, onDone, onClose }: { of: Product } & Done) {
  const [refusal, setRefusal] = useState<Refusal>();
  const [isBusy, setBusy] = useState(false);

  async function confirm(close: () => void) {
    if (isBusy) return;
    setBusy(true);
    const reply = await remove(of.id);
    setBusy(false);
    if (reply.is === 'refused') return setRefusal(reply);
    close();
    onDone(`${of.name} was deleted.`);
  }

  return (
    <Dialog title={`Delete ${of.name}?`} onClose={onClose}>
      {(close) => (
        <>
          <p>Customers can no longer order it. The orders that have it stay as they are.</p>
          <div role="status">{refusal && <Note kind="bad"><Refused refusal={refusal} what={`${of.name} could not be deleted`} /></Note>}</div>
          <p className="actions">
            <button type="button" className="primary" onClick={() => confirm(close)} aria-disabled={isBusy}>Delete</button>
            <button type="button" onClick={close}>Keep it</button>
          </p>
        </>
      )}
    </Dialog>
  );
}

/** One product by its number, for everyone else. */
function Search() {
  const [id, setId] = useState('');
  const [problem, setProblem] = useState('');
  const [reply, setReply] = useState<Reply<Product> | 'asking'>();

  async function search(event: FormEvent) {
    event.preventDefault();
    if (reply === 'asking') return;
    const wanted = id.trim();
    const isNumber = /^[A-Za-z0-9_-]{1,36}$/.test(wanted);
    setProblem(isNumber ? '' : 'Enter the number of a product, such as 1.');
    setReply(isNumber ? 'asking' : undefined);
    if (isNumber) setReply(await productOf(wanted));
  }

  return (
    <>
      <p>Look up a product by its number. Only administrators see all products and change them.</p>
      <form onSubmit={search} noValidate role="search" className="search">
        <Field id="number" label="Number of the product" value={id} problem={problem || undefined} autoComplete="off"
          onChange={(event) => setId(event.target.value)} />
        <button className="primary" aria-disabled={reply === 'asking'}>Look up</button>
      </form>
      <div role="status">
        {reply === 'asking' && <p className="help">Looking it up…</p>}
        {reply && reply !== 'asking' && (reply.is === 'ok'
          ? <p className="unseen">{reply.value.name}: {inStock(reply.value)}.</p>
          : <Note kind="bad"><Refused refusal={reply} what="The product could not be looked up" /></Note>)}
      </div>
      {reply && reply !== 'asking' && reply.is === 'ok' && <Found it={reply.value} />}
    </>
  );
}

const Found = ({ it }: { it: Product }) => (
  <div className="products">
    <div className="card">
      <Picture image={it.image} />
      <h2>{it.name}</h2>
      <p>{it.description}</p>
      <p className="price">{usd(it.price)}</p>
      <p className={isLow(it) ? 'stock low' : 'stock'}>{inStock(it)}</p>
    </div>
  </div>
);
