// Makes the pictures of the README from real runs: `node tests/browser/pictures.js`.
// Needs the packages of this folder, Chromium, and `cargo build -p local -p cli`. The test of a picture is to look at it.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { get, launch, local, open, says } from './helpers.js';

const root = new URL('../..', import.meta.url).pathname;
const images = `${root}docs/images/`;

/** The race on the page, as a picture of its own. Its colours follow the reader's theme. */
const drawing = (lanes, outcome, legend) => `<svg xmlns="http://www.w3.org/2000/svg" width="720" height="200" role="img">
<title>${outcome}</title>
<style>
text { font: 15px sans-serif; fill: #59636e }
line { stroke-width: 6 } .wait { stroke: #848d97; stroke-width: 2; stroke-dasharray: 3 }
.yes { stroke: #1a7f37 } .no { stroke: #848d97 } text.yes, text.no { stroke: none } text.yes { fill: #1a7f37 }
@media (prefers-color-scheme: dark) { text { fill: #9198a1 } .yes { stroke: #3fb950 } text.yes { fill: #3fb950 } }
</style>
<text y="22" class="yes">${outcome}</text>
<svg y="36" height="132" width="720">${lanes}</svg>
<text y="190">${legend}</text>
</svg>
`;

test('the pictures', async (t) => {
  const browser = await launch();
  const { url } = await local();
  const options = { viewport: { width: 800, height: 1300 }, colorScheme: 'light' };

  const page = await open(t, browser, url, options);
  await page.click('#start');
  await says(page, 'outcome', 'held');
  const [lanes, outcome, legend] = await page.evaluate(() => [
    [...document.querySelectorAll('#lanes *')].map((it) => {
      if (it.tagName === 'text') it.setAttribute('dy', '0.35em');
      return it.outerHTML.replace(' xmlns="http://www.w3.org/2000/svg"', '');
    }).join('\n'),
    document.getElementById('outcome').textContent,
    document.querySelector('#course .help').textContent,
  ]);
  writeFileSync(`${images}race.svg`, drawing(lanes, outcome, legend));

  const visit = await open(t, browser, url, options);
  await get(visit);
  await visit.click('#validate');
  await says(visit, 'verdict', 'accepted');
  const end = await visit.locator('section', { has: visit.locator('#validate') }).boundingBox();
  await visit.screenshot({ path: `${images}page.png`, clip: { x: 0, y: 0, width: 800, height: end.y + end.height + 12 }, fullPage: true });

  const race = `${root}target/debug/token-auth race --tokens 20 --url ${url} 2>&1`;
  const shown = execFileSync('sh', ['-c', race], { encoding: 'utf8' }).replaceAll(url, 'http://127.0.0.1:3000');
  const terminal = await browser.newPage({ viewport: { width: 640, height: 400 } });
  await terminal.setContent('<pre style="margin:0;padding:16px;background:#0d1117;color:#e6edf3;font:13px/1.45 monospace"></pre>');
  await terminal.locator('pre').evaluate((pre, text) => { pre.textContent = text; }, `$ token-auth race --tokens 20\n${shown}`);
  await terminal.locator('pre').screenshot({ path: `${images}race.png` });
});
