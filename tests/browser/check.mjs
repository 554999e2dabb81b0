// Opens pages in a real browser and says what is wrong with them, one line each; exit code 1 when there is one.
// usage: node check.mjs NODE_FOLDER PAGE.html...      with SCREENSHOTS=FOLDER pictures of the first screen are kept
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const [folder, ...pages] = process.argv.slice(2);
const require = createRequire(path.join(folder, 'x.js'));
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const MODES = [
  { name: 'light', media: { colorScheme: 'light', media: 'screen' } },
  { name: 'dark', media: { colorScheme: 'dark', media: 'screen' } },
  { name: 'print', media: { colorScheme: 'light', media: 'print' } },
];
const PROGRAMS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
const executablePath = PROGRAMS.map((name) => `/usr/bin/${name}`).find((file) => fs.existsSync(file));
if (!executablePath) {
  console.log('no browser: apt-get install chromium-headless-shell');
  process.exit(1);
}

const wrong = [];
let checked = 0;

async function look(browser, file) {
  const url = 'file://' + path.resolve(file);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const name = path.basename(file);
  const say = (what) => wrong.push(`${name}: ${what}`);
  page.on('console', (message) => say(`console: ${message.text()}`));
  page.on('pageerror', (error) => say(`error: ${error}`));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) say(`request: ${request.url().slice(0, 80)}`);
  });
  await page.goto(url);
  if (fs.statSync(file).size >= 1_000_000) say('1 MB or more');
  for (const mode of MODES) {
    await page.emulateMedia(mode.media);
    await page.evaluate(axe); // past the page's own policy
    const found = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), TAGS);
    for (const violation of found.violations) {
      const first = violation.nodes[0];
      say(`${mode.name}: ${violation.id} (${violation.nodes.length}): ${first.html.slice(0, 120)} ${first.failureSummary ?? ''}`);
    }
    if (found.passes.length < 15) say(`${mode.name}: only ${found.passes.length} rules applied; was the page drawn?`);
    checked += 1;
    if (process.env.SCREENSHOTS && mode.name !== 'print') {
      await page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.${mode.name}.png`) });
    }
  }
  await page.emulateMedia(MODES[0].media);
  await page.setViewportSize({ width: 320, height: 700 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 320) {
    const widest = await page.evaluate(() => {
      const inside = (e) => { for (let p = e.parentElement; p; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return true; return false; };
      const out = [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > 321 && !inside(e));
      return out.slice(0, 3).map((e) => e.outerHTML.slice(0, 80)).join(' | ');
    });
    say(`scrolls sideways at 320 px (${width}): ${widest}`);
  }
  if (process.env.SCREENSHOTS) await page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.320.png`) });
  await context.close();
}

const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath, args });
for (const file of pages) await look(browser, file);
await browser.close();
for (const line of wrong) console.log(line);
console.log(`${pages.length} pages, ${checked} looks, ${wrong.length} faults`);
process.exit(wrong.length > 0 || pages.length === 0 ? 1 : 0);
