import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { useMailedToken } from '../mailed';
import { Note, Screen } from '../parts';
import { openReport, type Reply } from './api';
import { Time } from './parts';

/**
 * Opens the report of a mailed link.
 *
 * The link works once, so nothing happens until the reader clicks. A program that follows each link of a mail gets this
 * screen, and the link still works.
 */
export function Report() {
  const token = useMailedToken();
  const [reply, setReply] = useState<Reply<string> | 'asking'>();
  // Another link is another report.
  useEffect(() => setReply(undefined), [token]);

  async function open() {
    if (!token || reply === 'asking') return;
    setReply('asking');
    const answer = await openReport(token);
    setReply(answer);
    if (answer.is === 'ok') location.assign(answer.value);
  }

  const answer = reply === 'asking' ? undefined : reply;
  const isUnknown = answer?.is === 'refused' && (answer.reason === 'unanswered' || answer.reason === 'unavailable' || answer.reason === 'busy');
  return (
    <Screen title="A report for you" className="text">
      {!token && <p>This page opens the report of a mail. Please follow the link in the mail: this address alone does not say which report is meant.</p>}
      {token && !answer && <p>The link in your mail opens its report once. Nothing opens before you click.</p>}
      {token && (!answer || isUnknown) && (
        <p><button type="button" className="primary" onClick={open} aria-disabled={reply === 'asking'}>Open the report</button></p>
      )}
      <div role="status">
        {reply === 'asking' && <Note kind="wait"><p>Opening the report…</p></Note>}
        {answer?.is === 'ok' && <Note kind="good"><p>The report opens now. The link in the mail is used up.</p></Note>}
        {answer?.is === 'refused' && <Note kind="bad"><Why {...answer} isUnknown={isUnknown} /></Note>}
      </div>
      <p className="help">Do you work here? <Link href="/reports">Sign in to create reports</Link>, as often as you like.</p>
    </Screen>
  );
}

function Why({ reason, usedAt, isUnknown }: { reason: string; usedAt?: string; isUnknown: boolean }) {
  const at = new Date(usedAt ?? '');
  const isKnown = !Number.isNaN(at.getTime());
  if (reason === 'already_used') {
    return <p>This link was used already{isKnown && <>, on <Time at={at} /></>}. If that was not you, another person got the same mail.</p>;
  }
  if (reason === 'expired' || reason === 'revoked') return <p>This link no longer works. Ask for new reports.</p>;
  if (isUnknown) return <p>The shop does not answer, so we do not know whether the link is used up. Try again in a minute.</p>;
  return <p>This link does not open a report. Please use the whole link of the mail.</p>;
}
