import { Link } from 'wouter';
import { Screen } from '../parts';

export function Lost() {
  return (
    <Screen title="There is no such page">
      <p>The address may be misspelled, or the page was removed.</p>
      <p><Link href="/" className="button primary">See the cookies</Link></p>
    </Screen>
  );
}
