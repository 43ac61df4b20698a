import { existsSync, readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** What `shop/up` has deployed. */
const DEPLOYED = new URL('../.up/shop.json', import.meta.url);

/** The address of the API: from SHOP_API_URL, such as the ApiUrl of a stack on AWS, or from `shop/up`. */
function apiUrl(): string | undefined {
  if (process.env.SHOP_API_URL) return process.env.SHOP_API_URL;
  return existsSync(DEPLOYED) ? JSON.parse(readFileSync(DEPLOYED, 'utf8')).apiUrl : undefined;
}

/** Serves the API under /api, as CloudFront does, so that the browser sees one origin. */
function proxy() {
  const url = apiUrl();
  if (!url) return {};
  const { origin, pathname } = new URL(url);
  const rewrite = (path: string) => path.replace(/^\/api/, pathname.replace(/\/$/, ''));
  return { '^/api/': { target: origin, changeOrigin: true, rewrite } };
}

/** Adds the policy to the built page, so that it holds wherever the page is served. Development needs inline scripts. */
const policy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [{
    tag: 'meta',
    attrs: { 'http-equiv': 'Content-Security-Policy', content: "default-src 'self'; base-uri 'none'; form-action 'self'" },
    injectTo: 'head-prepend',
  }],
};

/** The rest of the policy, which works in a header only. */
const headers = {
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

export default defineConfig({
  plugins: [react(), policy],
  build: { assetsInlineLimit: 0 },
  // Without `cors`, so that the API answers preflights itself.
  server: { port: 5173, strictPort: true, cors: false, proxy: proxy() },
  preview: { port: 5173, strictPort: true, cors: false, proxy: proxy(), headers },
});
