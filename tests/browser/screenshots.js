// Makes the pictures of the page, of which docs/images/ has two with fewer colours: node tests/browser/screenshots.js FOLDER

import { get, launch, local, once, open, says } from './helpers.js';

const folder = process.argv[2];
const { url, stop } = await local();
const browser = await launch();
const t = { after() {} };
const shoot = (page, name, options) => page.screenshot({ path: `${folder}/${name}.png`, ...options });

const english = await open(t, browser, url, { viewport: { width: 800, height: 600 }, colorScheme: 'light' });
await get(english);
await english.click('#validate');
await says(english, 'verdict', 'accepted');
await english.fill('#count', '10');
await english.click('#start');
await says(english, 'outcome', 'held');
await shoot(english, 'page', { fullPage: true });
await (await english.$('section:nth-of-type(3)')).screenshot({ path: `${folder}/race.png` });

const lost = await open(t, browser, url, { viewport: { width: 800, height: 600 }, colorScheme: 'light' });
await get(lost);
await once(lost, 'validate', async (route) => { await route.fetch(); await route.abort('connectionreset'); });
await lost.click('#validate');
await says(lost, 'verdict', 'unknown');
await (await lost.$('section:nth-of-type(2)')).screenshot({ path: `${folder}/lost.png` });
await lost.click('#lose');
await lost.waitForSelector('#lost li:nth-child(3)');
await (await lost.$('section:nth-of-type(2)')).screenshot({ path: `${folder}/lose.png` });

const japanese = await open(t, browser, url, { viewport: { width: 800, height: 600 }, colorScheme: 'dark', locale: 'ja-JP' });
await get(japanese);
await japanese.click('#validate');
await says(japanese, 'verdict', 'accepted', {}, 1);
await japanese.click('#validate');
await says(japanese, 'verdict', 'already_used', {}, 1);
await japanese.click('#start');
await says(japanese, 'outcome', 'held', {}, 1);
await shoot(japanese, 'japanese', { fullPage: true });

const narrow = await open(t, browser, url, { viewport: { width: 320, height: 640 }, colorScheme: 'light' });
await get(narrow);
await narrow.click('#start');
await says(narrow, 'outcome', 'held');
await narrow.click('summary');
await shoot(narrow, 'narrow', { fullPage: true });

await browser.close();
stop();
