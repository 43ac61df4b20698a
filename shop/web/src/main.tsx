import './mailed';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { configuration, configure } from './api';
import { App } from './app';
import { Unavailable } from './parts';
import { start as startSession } from './user';
import './page.css';

const root = createRoot(document.getElementById('root')!);

async function start() {
  const isConfigured = await configure();
  const { siteUrl } = configuration;
  // Signing in works only under the name that the user pool knows, and the cookie belongs to that name.
  if (siteUrl && new URL(siteUrl).origin !== location.origin) {
    return location.replace(siteUrl + location.pathname + location.search);
  }
  if (isConfigured) startSession();
  root.render(<StrictMode>{isConfigured ? <App /> : <Unavailable onRetry={start} />}</StrictMode>);
}

start();
