import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { configure } from './api';
import { App } from './app';
import { Unavailable } from './parts';
import './page.css';

const root = createRoot(document.getElementById('root')!);

async function start() {
  const screen = await configure() ? <App /> : <Unavailable onRetry={start} />;
  root.render(<StrictMode>{screen}</StrictMode>);
}

start();
