// The demo in a real headless Chromium: sign-in, single sign-on, session metadata, and sign-out seen by both.
//
// CHROMIUM names the program; `cargo xtask test` finds or installs it. Screenshots go to artifacts/screens.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { eventually, freePort, randomName, startChromium, startVestibule } from './kit.mjs';
import { ARTIFACTS } from './kit/vestibule.mjs';

const DEMO = fileURLToPath(new URL('../../examples/relying-party/demo.mjs', import.meta.url));
const SCREENS = join(ARTIFACTS, 'screens');
const STEP_MS_MAX = 15_000;

let vestibule;
let parties;
let browser;
let one;
let two;

before(async () => {
  const ports = [await freePort(), await freePort()];
  vestibule = await startVestibule({
    args: ['--demo', '--demo-port-one', String(ports[0]), '--demo-port-two', String(ports[1])],
  });
  parties = spawn(process.execPath, [DEMO, vestibule.data], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: vestibule.authority, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  [one, two] = vestibule.demo.relying_parties.map(({ port }) => `http://localhost:${port}/`);
  assert.deepEqual([one, two], ports.map((port) => `http://localhost:${port}/`));
  for (const home of [one, two]) {
    await eventually(`${home} listens`, () => fetch(home).then((answer) => answer.ok, () => false));
  }
  browser = await startChromium();
  await mkdir(SCREENS, { recursive: true });
});

after(async () => {
  await browser?.close();
  if (parties && parties.exitCode === null) {
    const ended = new Promise((resolve) => parties.once('exit', resolve));
    parties.kill();
    await ended;
  }
  await vestibule?.stop();
});

/** A new person at a new browser; `complaints` collects what the page's console and network object to. */
async function visitor(options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  context.setDefaultTimeout(STEP_MS_MAX);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    // A page that says what was wrong is answered with 400; the console repeats that, and it is no fault.
    const expected = /the server responded with a status of 40[0-9]/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(`console: ${message.text()}`);
  });
  page.on('requestfailed', (request) => complaints.push(`request: ${request.url()} ${request.failure()?.errorText}`));
  return { context, page, complaints };
}

const tableOf = (page, id) =>
  page.$$eval(`#${id} tr`, (rows) => Object.fromEntries(rows.map((row) => [row.cells[0].textContent, row.cells[1].textContent])));

async function signIn(page, home, { email, password } = vestibule.demo.user) {
  await page.goto(home);
  await page.click('a.button');
  await page.fill('input[name=username]', email);
  await page.fill('input[name=password]', password);
  await page.click('form[method=post] [type=submit]');
  await page.waitForURL(home);
}

/** Presses through the confirmation when the server asks for one. */
async function signOut(page, home) {
  await page.click('button.button');
  await page.waitForLoadState();
  if (page.url() !== home) await page.click('form[method=post] [type=submit]');
  await page.waitForURL(home);
}

test('sign-in at one, single sign-on at two, and signing out shows in both', async () => {
  const { context, page, complaints } = await visitor();
  await signIn(page, one);
  assert.match(await page.textContent('#who'), new RegExp(vestibule.demo.user.email.replaceAll('.', '\\.')));
  const claims = await tableOf(page, 'claims');
  const first = await tableOf(page, 'metadata');
  assert.match(first.device, /^Chrome on /);
  assert.equal(first.sign_ins, '1');
  assert.equal(first.last_app, 'Demo One');

  // Another tab of the same browser: the session is the server's, so no password is asked for.
  const tab = await context.newPage();
  await tab.goto(two);
  await tab.click('a.button');
  await tab.waitForURL(two);
  const claimsThere = await tableOf(tab, 'claims');
  assert.equal(claimsThere.sid, claims.sid);
  assert.notEqual(claimsThere.aud, claims.aud);
  const second = await tableOf(tab, 'metadata');
  assert.equal(second.device, first.device);
  assert.equal(second.last_app, 'Demo Two', 'the Action ran at single sign-on too');
  assert.ok(Number(second.sign_ins) >= 1, JSON.stringify(second));
  await tab.screenshot({ path: join(SCREENS, 'relying-party-signed-in.png'), fullPage: true });

  await signOut(page, one);
  for (const home of [one, two]) {
    const event = await eventually(`${home} has the logout token`, async () => {
      const events = await (await fetch(`${home}events.json`)).json();
      return events.find((candidate) => candidate.claims?.sid === claims.sid);
    });
    assert.equal(event.verified, true, event.problem);
    assert.deepEqual(event.claims.session_metadata, second);
    const view = await context.newPage();
    await view.goto(home);
    assert.match(await view.textContent('#who'), /Nobody is signed in/);
    const shown = await view.textContent('#logouts');
    assert.match(shown, /verified/);
    assert.ok(shown.includes(claims.sid) && shown.includes('session_metadata'), shown);
    await view.close();
  }
  await tab.reload();
  assert.match(await tab.textContent('#who'), /Nobody is signed in/);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a wrong password is told in words, and the right one then signs in', async () => {
  const { context, page, complaints } = await visitor();
  await page.goto(one);
  await page.click('a.button');
  await page.fill('input[name=username]', vestibule.demo.user.email);
  await page.fill('input[name=password]', 'not the password');
  await page.click('form[method=post] [type=submit]');
  assert.ok((await page.textContent('[role=alert]')).trim().length > 0);
  await page.fill('input[name=password]', vestibule.demo.user.password);
  await page.click('form[method=post] [type=submit]');
  await page.waitForURL(one);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a new person signs up and is signed in', async () => {
  const { context, page, complaints } = await visitor();
  const email = `${randomName('new')}@example.com`;
  await page.goto(one);
  await page.click('a.button');
  await page.click('a[href*="/u/signup"]');
  await page.fill('input[name=email]', email);
  await page.fill('input[name=password]', 'Correct-horse-7-battery');
  await page.click('form[method=post] [type=submit]');
  await page.waitForURL(one);
  assert.equal((await tableOf(page, 'claims')).email, email);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('the pages run no scripts and store nothing that a script could read', async () => {
  const { context, page } = await visitor({ javaScriptEnabled: false });
  await signIn(page, one);
  const cookies = await context.cookies(vestibule.issuer);
  const session = cookies.filter(({ name }) => name.startsWith('__Host-'));
  assert.ok(session.length > 0, JSON.stringify(cookies.map(({ name }) => name)));
  for (const cookie of session) {
    assert.ok(cookie.httpOnly && cookie.secure, cookie.name);
  }
  await context.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`every page fits a small screen, names its fields, and is kept as a picture (${colorScheme})`, async () => {
    const { context, page, complaints } = await visitor({ colorScheme, viewport: { width: 1100, height: 800 } });
    const look = async (name) => {
      await page.screenshot({ path: join(SCREENS, `${name}-${colorScheme}.png`), fullPage: true });
      await page.setViewportSize({ width: 340, height: 700 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${name} is ${overflow} px too wide for a small screen`);
      await page.screenshot({ path: join(SCREENS, `${name}-${colorScheme}-small.png`), fullPage: true });
      await page.setViewportSize({ width: 1100, height: 800 });
      const nameless = await page.$$eval('input:not([type=hidden]), button', (elements) =>
        elements
          .filter((element) => !(element.labels?.length || element.getAttribute('aria-label') || element.textContent.trim()))
          .map((element) => element.outerHTML),
      );
      assert.deepEqual(nameless, [], name);
      assert.ok((await page.title()).length > 0, name);
      assert.ok(await page.getAttribute('html', 'lang'), name);
    };
    await page.goto(one);
    await look('relying-party');
    await page.click('a.button');
    await look('sign-in');
    await page.fill('input[name=username]', vestibule.demo.user.email);
    await page.fill('input[name=password]', 'not the password');
    await page.click('form[method=post] [type=submit]');
    await look('sign-in-refused');
    await page.click('a[href*="/u/signup"]');
    await look('sign-up');
    await page.goto(`${vestibule.issuer}authorize?response_type=code&client_id=nobody&redirect_uri=https://example.com/`);
    await look('error');
    await signIn(page, one);
    await look('relying-party-signed-in');
    // Without a hint from an application anyone could have led the person here, so it asks.
    await page.goto(`${vestibule.issuer}oidc/logout`);
    await look('sign-out');
    await page.click('form[method=post] [type=submit]');
    await look('signed-out');
    await page.goto(one);
    await page.click('a.button');
    assert.ok(await page.isVisible('input[name=password]'), 'the session is over');
    assert.deepEqual(complaints, []);
    await context.close();
  });
}
