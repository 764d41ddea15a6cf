// A page that watches the session from a frame, in a real browser (OpenID Connect Session Management 1.0 §3).

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { application, startChromium, startVestibule, user } from './kit.mjs';

const STEP_MS_MAX = 15_000;

let vestibule;
let chromium;
const pages = [];
let origin;
let stranger;
let watching;
let other;

/** Pages with the frame in them, at an origin of their own. They have the server's certificate: other sites' frames see no cookies. */
async function openPages(frame) {
  const [cert, key] = await Promise.all(['server.pem', 'server.key'].map((name) => readFile(join(vestibule.data, name))));
  const server = createServer({ cert, key }, (_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Shop</title><iframe src="${frame}"></iframe>`);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  pages.push(server);
  return `https://localhost:${server.address().port}`;
}

before(async () => {
  vestibule = await startVestibule();
  await vestibule.api('PATCH', 'tenants/settings', { sessions: { oidc_session_management_enabled: true } });
  const description = await fetch(`${vestibule.issuer}.well-known/openid-configuration`);
  const { check_session_iframe: frame } = await description.json();
  origin = await openPages(frame);
  stranger = await openPages(frame);
  watching = await application(vestibule, { callbacks: [`${origin}/`] });
  other = await application(vestibule, { callbacks: [`${origin}/other`] });
  chromium = await startChromium();
});

after(async () => {
  await chromium?.close();
  for (const server of pages) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
  await vestibule?.stop();
});

const authorize = ({ client_id, callback }, more = {}) =>
  `${vestibule.issuer}authorize?${new URLSearchParams({ response_type: 'code', client_id, redirect_uri: callback, scope: 'openid', state: 's', ...more })}`;

/** Signs in at the page that is open, and answers the session state that the application is given. */
async function signIn(page, app) {
  const { email, password } = await user(vestibule);
  await page.goto(authorize(app));
  await page.fill('input[name=username]', email);
  await page.fill('input[name=password]', password);
  await page.click('form[method=post] [type=submit]');
  await page.waitForURL(`${app.callback}?**`);
  return new URL(page.url()).searchParams.get('session_state');
}

/** What the frame in the page answers to a message. */
const ask = (page, message) =>
  page.evaluate(
    ([text, target]) =>
      new Promise((answered) => {
        const frame = document.querySelector('iframe').contentWindow;
        addEventListener('message', ({ data, source }) => source === frame && answered(data), { once: true });
        frame.postMessage(text, target);
      }),
    [message, new URL(vestibule.issuer).origin],
  );

test('the frame tells when the session is another one, and only to the page that was given its state', async () => {
  const context = await chromium.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(STEP_MS_MAX);
  const page = await context.newPage();
  const message = `${watching.client_id} ${await signIn(page, watching)}`;
  assert.equal(await ask(page, message), 'unchanged');
  assert.equal(await ask(page, 'nonsense'), 'error');
  assert.equal(await ask(page, message.replace(watching.client_id, other.client_id)), 'changed');

  const tab = await context.newPage();
  await tab.goto(authorize(other, { prompt: 'none' }));
  await tab.waitForURL(`${other.callback}?**`);
  assert.equal(await ask(page, message), 'unchanged', 'one more application is no other session');
  await tab.goto(`${stranger}/`);
  assert.equal(await ask(tab, message), 'changed', 'another origin learns nothing');

  await tab.goto(`${vestibule.issuer}v2/logout`);
  assert.equal(await ask(page, message), 'changed');
  const again = `${watching.client_id} ${await signIn(tab, watching)}`;
  assert.equal(await ask(tab, again), 'unchanged');
  assert.equal(await ask(page, message), 'changed', 'somebody else is signed in');
  await context.close();
});
