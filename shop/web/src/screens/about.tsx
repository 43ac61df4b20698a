import { Link } from 'wouter';
import { Screen } from '../parts';

export function About() {
  return (
    <Screen title="About Crumb Street" className="text">
      <p>
        Crumb Street is a bakery with one oven, four recipes, and a shelf that holds a hundred cookies of each.
        When a kind is sold out, it is sold out: the shop never promises a cookie that it does not have.
      </p>
      <h2>One click, one order</h2>
      <p>
        Each checkout has a token that is good for one order. If you click twice, reload the page, or lose the
        connection after “Place order”, the shop recognizes the token and answers with the order that it already has.
        The number of your order is the number of the token.
      </p>
      <h2>What you do not get</h2>
      <p>
        Crumb Street is a demonstration of one-time tokens. It takes no payment and bakes nothing. Please do not enter
        anyone’s real name or address.
      </p>
      <p><Link href="/" className="button primary">See the cookies</Link></p>
    </Screen>
  );
}
