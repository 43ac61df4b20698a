// The reports on the deployment: what staff open, and what a mailed link opens.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { button, count, launch, open, says, shop, signIn, url } from './helpers.js';

const browser = await launch();
const UP = new URL('../../up', import.meta.url).pathname;

test('reports are created and opened, one after the other', async (t) => {
  const page = await signIn(t, browser, 'employee', '/reports');
  await button(page, 'Create the reports').click();
  await says(page, 'The reports are ready.');
  for (const name of ['orders', 'products']) {
    await button(page, `Open the report on ${name}`).click();
    await page.waitForURL(`${shop.endpoint}/**`);
    await page.waitForSelector('h1');
    assert.match((await page.textContent('h1')).toLowerCase(), new RegExp(name.slice(0, -1)));
    assert.equal(await page.locator('script').count(), 0);
    await page.goBack();
    await button(page, `Open the report on ${name}`).waitFor();
  }
  assert.equal(count(page, 'POST /create-report'), 1);
});

/** The links of the last mail. */
function mailedLinks() {
  const links = execFileSync(UP, ['mail'], { encoding: 'utf8' }).match(/http\S+\/report#\S+/g) ?? [];
  return links.slice(-2);
}

test('the mail has a link to each report: nothing that follows links opens it, a click does, and that once', async (t) => {
  const page = await signIn(t, browser, 'admin', '/reports');
  await button(page, 'Create the reports').click();
  await says(page, 'The reports are ready.');
  const links = mailedLinks();
  assert.equal(links.length, 2);

  // A scanner of mails gets everything that it can find, with and without the token, and runs the scripts.
  for (const link of links) {
    const token = link.split('#')[1];
    for (const address of [link, `${url}/report?${token}`, `${url}/report/${token}`, `${url}/api/report-link`, `${url}/api/report-link?token=${token}`]) {
      for (const method of ['GET', 'HEAD']) await fetch(address, { method });
    }
    const scanner = await open(t, browser, link.slice(url.length));
    await button(scanner, 'Open the report').waitFor();
    assert.deepEqual(scanner.sent, []);
  }

  for (const [link, name] of [[links[0], 'order'], [links[1], 'product']]) {
    const reader = await open(t, browser, link.slice(url.length));
    assert.equal(reader.url(), `${url}/report`);
    await button(reader, 'Open the report').click();
    await reader.waitForURL(`${shop.endpoint}/**`);
    assert.match((await reader.textContent('h1')).toLowerCase(), new RegExp(name));

    const second = await open(t, browser, link.slice(url.length));
    await button(second, 'Open the report').click();
    await says(second, 'This link was used already, on ');
    const usedAt = new Date(await second.getAttribute('.note time', 'datetime'));
    assert.ok(Math.abs(Date.now() - usedAt) < 60_000, String(usedAt));
  }
});
