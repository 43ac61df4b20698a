// The token of a link to a report that was mailed: `/report#<token>`.

import { variable } from './variable';

/** Takes the token out of the address, so that neither the history nor a copied address has it. It is kept only here. */
function take(): string | undefined {
  if (location.pathname !== '/report' || location.hash.length < 2) return undefined;
  const token = location.hash.slice(1);
  history.replaceState(history.state, '', location.pathname);
  return token;
}

const token = variable(take());

// Another link is opened in this tab while the page is there.
addEventListener('hashchange', () => token.set(take() ?? token.get()));

/** The token, for a component. */
export const useMailedToken = token.use;
