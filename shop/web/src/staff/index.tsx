// The screens of the people who work here, in a file of their own: customers do not load them.

import { Route, Switch } from 'wouter';
import { Lost } from '../screens/lost';
import { OrderScreen, OrdersScreen } from './orders';
import { Report } from './report';
import { Reports } from './reports';
import { Callback, SignedOut, SignIn } from './sign-in';
import { Stock } from './stock';

export default function Staff() {
  return (
    <Switch>
      <Route path="/orders"><OrdersScreen /></Route>
      <Route path="/orders/:id">{({ id }) => <OrderScreen key={id} id={id} />}</Route>
      <Route path="/stock"><Stock /></Route>
      <Route path="/reports"><Reports /></Route>
      <Route path="/report"><Report /></Route>
      <Route path="/signin"><SignIn /></Route>
      <Route path="/callback"><Callback /></Route>
      <Route path="/signed-out"><SignedOut /></Route>
      <Route><Lost /></Route>
    </Switch>
  );
}
