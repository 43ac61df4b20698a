import { useEffect, useState } from 'react';
import { Note } from '../parts';
import { createReports, reportsStatus, reportUrls, type Refusal } from './api';
import { Refused, StaffScreen } from './parts';

/** How long to ask whether the reports are ready, in ms. */
const PATIENCE = 120_000;

const REPORTS = [['orders', 'Open the report on orders'], ['products', 'Open the report on products']] as const;

/** What is known of the reports that were created last. */
type State = 'none' | 'starting' | 'running' | 'ready' | 'failed' | 'silent';

export const Reports = () => <StaffScreen title="Reports" className="text"><Create /></StaffScreen>;

function Create() {
  // In the entry of the history, so that Back from a report leads to the other one.
  const [arn, setArn] = useState<string | undefined>(() => history.state?.reports);
  const [state, setState] = useState<State>(arn ? 'running' : 'none');
  const [refusal, setRefusal] = useState<Refusal>();
  const [what, setWhat] = useState('');

  async function create() {
    if (state === 'starting' || state === 'running') return;
    setRefusal(undefined);
    setState('starting');
    const reply = await createReports();
    if (reply.is === 'refused') {
      setWhat('The reports could not be created');
      setRefusal(reply);
      return setState('none');
    }
    history.replaceState({ reports: reply.value }, '');
    setArn(reply.value);
    setState('running');
  }

  useEffect(() => {
    if (!arn || state !== 'running') return;
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    const end = Date.now() + PATIENCE;
    const ask = async (pause: number) => {
      const reply = await reportsStatus(arn);
      if (isGone) return;
      if (reply.is === 'ok' && reply.value !== 'RUNNING') return setState(reply.value === 'SUCCEEDED' ? 'ready' : 'failed');
      if (Date.now() >= end) return setState('silent');
      timer = setTimeout(ask, pause, Math.min(pause * 1.5, 5000));
    };
    ask(1000);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [arn, state]);

  // A fresh address for each click: one that was copied or kept works for five minutes only.
  async function open(name: string) {
    setRefusal(undefined);
    const reply = await reportUrls(arn!);
    const url = reply.is === 'ok' && reply.value[name];
    if (typeof url === 'string') return location.assign(url);
    setWhat('The report could not be opened');
    setRefusal(reply.is === 'refused' ? reply : { is: 'refused', reason: 'unanswered', message: '' });
  }

  const isBusy = state === 'starting' || state === 'running';
  return (
    <>
      <p>
        There are two: the orders of the last 30 days, and the products with their stock and sales. Neither has a name
        or an address of a customer. When they are ready they are also mailed, with a link to each that opens once.
      </p>
      <p><button type="button" className={state === 'ready' ? '' : 'primary'} onClick={create} aria-disabled={isBusy}>Create the reports</button></p>
      <div role="status">
        {isBusy && <Note kind="wait"><p>The reports are being created…</p></Note>}
        {state === 'ready' && <Note kind="good"><p>The reports are ready.</p></Note>}
        {state === 'failed' && <Note kind="bad"><p>The reports could not be created. You can try again.</p></Note>}
        {state === 'silent' && <Note kind="wait"><p>The reports take longer than usual, or the shop does not answer.</p></Note>}
        {refusal && <Note kind="bad"><Refused refusal={refusal} what={what} /></Note>}
      </div>
      {state === 'silent' && <p><button type="button" onClick={() => setState('running')}>Ask again</button></p>}
      {state === 'ready' && (
        <p className="actions">
          {REPORTS.map(([name, text]) => <button key={name} type="button" className="primary" onClick={() => open(name)}>{text}</button>)}
        </p>
      )}
    </>
  );
}
