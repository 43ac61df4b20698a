// Who is signed in. OAuth's authorization code with PKCE, exchanged by the API for an access token and a cookie.
//
// The access token is in a variable of this module and nowhere else, so a reload loses it. The refresh token is in the
// cookie, which no script can read, and gets another one.

import { call, claims, configuration, type Answer } from './api';
import { variable } from './variable';

/** Who uses the page: `unknown` until the API was asked; `unreachable` if it did not answer that. */
export type User = { is: 'unknown' | 'out' | 'unreachable' } | { is: 'in'; email: string; isAdmin: boolean };

/** How long before its end an access token is replaced, in ms. */
const EARLY = 30_000;

const user = variable<User>({ is: 'unknown' });
/** The access token, and when to replace it. */
let access: { token: string; until: number } | undefined;
let refreshing: Promise<number | null> | undefined;
let finishing: Promise<Finished> | undefined;

/** The user, for a component. */
export const useUser = user.use;

/** In localStorage while a person is signed in, for other tabs and for after a reload. It says only that. */
const SIGNED_IN = 'crumb-street-signed-in';
/** In sessionStorage between leaving for the sign-in page and coming back. */
const PENDING = 'crumb-street-sign-in';

function set(next: User) {
  if (next.is !== 'in') access = undefined;
  try {
    if (next.is === 'in') localStorage.setItem(SIGNED_IN, 'yes');
    else if (next.is === 'out') localStorage.removeItem(SIGNED_IN);
  } catch {
    // Without storage another tab is signed out later, when its access token ends.
  }
  user.set(next);
}

/** Continues where a reload or another tab has left off. */
export function start() {
  // Another tab has signed in or out.
  addEventListener('storage', ({ key, newValue }) => {
    if (key !== SIGNED_IN) return;
    if (newValue) refresh();
    else set({ is: 'out' });
  });
  try {
    if (localStorage.getItem(SIGNED_IN)) refresh();
  } catch {
    // A staff screen asks anyway.
  }
}

/** Takes the tokens of an answer. The ID token says what to show; what is allowed is decided by the API. */
function accept({ status, body }: Answer): number | null {
  const { access_token: token, id_token: id, expires_in: seconds } = body ?? {};
  if (status === 200 && typeof token === 'string' && typeof id === 'string' && typeof seconds === 'number') {
    access = { token, until: Date.now() + seconds * 1000 - EARLY };
    const { email, 'cognito:groups': groups } = claims(id);
    set({ is: 'in', email: String(email ?? ''), isAdmin: Array.isArray(groups) && groups.includes('admin') });
    return 200;
  }
  if (status === 401) set({ is: 'out' });
  else if (user.get().is !== 'in') set({ is: 'unreachable' });
  return status === 200 ? null : status;
}

/** Calls a route that sets, reads or clears the cookie. */
const callWithCookie = (path: string, body?: object) => call(path, {
  method: 'POST', credentials: 'include', ...body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) },
});

/** Gets an access token by the cookie; the status of the answer. Concurrent calls share one request. */
export function refresh(): Promise<number | null> {
  return (refreshing ??= callWithCookie('/auth/refresh').then(accept).finally(() => refreshing = undefined));
}

/**
 * Calls a route of the staff's with an access token, and once more with a new one after a 401.
 *
 * `refused` is the token that got the 401.
 */
export async function callAsUser(path: string, init: RequestInit = {}, refused?: string): Promise<Answer> {
  if (!access || access.token === refused || Date.now() >= access.until) {
    const status = await refresh();
    if (status !== 200) return { status, body: null };
  }
  if (!access) return { status: 401, body: null };
  const { token } = access;
  const answer = await call(path, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } });
  return answer.status === 401 && !refused ? callAsUser(path, init, token) : answer;
}

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
const random = (length: number) => base64url(crypto.getRandomValues(new Uint8Array(length)));

/** Goes to a page of the user pool. */
const leave = (path: string, parameters: Record<string, string>) =>
  location.assign(`${configuration.signInUrl}${path}?${new URLSearchParams({ client_id: configuration.clientId ?? '', ...parameters })}`);

/** Goes to the sign-in page, from which the browser comes back to `/callback`, and then to `to`. */
export async function signIn(to: string) {
  const verifier = random(32);
  const state = random(16);
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  sessionStorage.setItem(PENDING, JSON.stringify({ verifier, state, to }));
  leave('/oauth2/authorize', {
    response_type: 'code', redirect_uri: `${location.origin}/callback`, scope: 'openid email', state,
    code_challenge: base64url(new Uint8Array(hash)), code_challenge_method: 'S256',
  });
}

/**
 * How a sign-in ended: with the path to go to, refused by the sign-in page, without an answer of the API, or never
 * begun in this tab (`stray`).
 */
export type Finished = { is: 'in'; to: string } | { is: 'refused' | 'unanswered' | 'stray' };

/** Ends the sign-in that the address says. A second call gets the outcome of the first: a code works once. */
export function finish(): Promise<Finished> {
  return (finishing ??= exchange());
}

async function exchange(): Promise<Finished> {
  // Its answer would end the session that begins here.
  await refreshing;
  const query = new URLSearchParams(location.search);
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? '{}');
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, '', location.pathname);
  // Another state is not this tab's sign-in: perhaps a link that would sign the user in under another name.
  if (!pending.state || query.get('state') !== pending.state) return { is: 'stray' };
  const code = query.get('code');
  if (!code) return { is: 'refused' };
  const status = accept(await callWithCookie('/auth/exchange', { code, code_verifier: pending.verifier }));
  if (status === 200) return { is: 'in', to: pending.to };
  return { is: status === 400 || status === 401 ? 'refused' : 'unanswered' };
}

/** Ends the session of the API and then that of the user pool; false if the API did not answer. */
export async function signOut(): Promise<boolean> {
  // An answer that is on its way would sign in again.
  await refreshing;
  const { status } = await callWithCookie('/auth/logout');
  if (status !== 200) return false;
  set({ is: 'out' });
  leave('/logout', { logout_uri: `${location.origin}/signed-out` });
  return true;
}
