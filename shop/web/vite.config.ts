import { existsSync, readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type PreviewServer, type ViteDevServer } from 'vite';

/** What `shop/up` has deployed. */
const DEPLOYED = new URL('../.up/shop.json', import.meta.url);

/** The outputs of a stack: of one on AWS, from the environment, or of the one of `shop/up`. */
const { SHOP_API_URL, SHOP_SIGN_IN_URL, SHOP_CLIENT_ID } = process.env;
const stack: { apiUrl?: string; SiteUrl?: string; SignInUrl?: string | undefined; ClientId?: string | undefined } =
  SHOP_API_URL ? { apiUrl: SHOP_API_URL, SignInUrl: SHOP_SIGN_IN_URL, ClientId: SHOP_CLIENT_ID }
    : existsSync(DEPLOYED) ? JSON.parse(readFileSync(DEPLOYED, 'utf8')) : {};

/** Serves the API under /api, as CloudFront does, so that the browser sees one origin. */
function proxy() {
  if (!stack.apiUrl) return {};
  const { origin, pathname } = new URL(stack.apiUrl);
  const rewrite = (path: string) => path.replace(/^\/api/, pathname.replace(/\/$/, ''));
  return { '^/api/': { target: origin, changeOrigin: true, rewrite } };
}

/** Serves the page's configuration, which `shop/publish` uploads beside a page on AWS. */
function serve({ middlewares }: ViteDevServer | PreviewServer) {
  const { SiteUrl: siteUrl, SignInUrl: signInUrl, ClientId: clientId } = stack;
  middlewares.use('/config.json', (_, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ apiUrl: '/api', siteUrl, signInUrl, clientId }));
  });
}

const configuration: Plugin = { name: 'configuration', configureServer: serve, configurePreviewServer: serve };

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
  plugins: [react(), configuration, policy],
  // What this package adds to older versions, React 19 has.
  resolve: { alias: { 'use-sync-external-store/shim/index.js': 'react' } },
  build: { assetsInlineLimit: 0, modulePreload: false },
  // Without `cors`, so that the API answers preflights itself.
  server: { port: 5173, strictPort: true, cors: false, proxy: proxy() },
  preview: { port: 5173, strictPort: true, cors: false, proxy: proxy(), headers },
});
