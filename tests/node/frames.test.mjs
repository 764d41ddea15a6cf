// Front-channel logout at Apache, in a real browser: frames on the signed-out page, with scripts and without.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { apacheSettings, application, freePort, startApache, startChromium, startVestibule, user } from './kit.mjs';

const STEP_MS_MAX = 15_000;

let vestibule;
let apache;
let chromium;
let base;
let other;

before(async () => {
  vestibule = await startVestibule();
  const port = await freePort();
  const { callback, frontChannel, ...urls } = apacheSettings(port);
  base = urls.base;
  // No logout token goes to it: what it learns, it learns from the browser.
  const client = await application(vestibule, { callbacks: [callback], oidc_logout: { frontchannel_logout_uri: frontChannel } });
  apache = await startApache({ vestibule, port, client });
  other = await application(vestibule, { callbacks: [`${base}/`], allowed_logout_urls: [`${base}/`] });
  chromium = await startChromium();
});

after(async () => {
  await chromium?.close();
  await apache?.stop();
  await vestibule?.stop();
});

async function signedIn(browser, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  context.setDefaultTimeout(STEP_MS_MAX);
  const page = await context.newPage();
  const { email, password } = await user(vestibule);
  await page.goto(`${base}/enter/`);
  await page.fill('input[name=username]', email);
  await page.fill('input[name=password]', password);
  await page.click('form[method=post] [type=submit]');
  await page.waitForURL(`${base}/enter/`);
  assert.equal((await page.goto(`${base}/`)).status(), 200);
  return page;
}

const logoutUrl = () =>
  `${vestibule.issuer}v2/logout?${new URLSearchParams({ client_id: other.client_id, returnTo: `${base}/` })}`;

for (const [title, options] of [
  ['a sign-out elsewhere reaches Apache through the browser', {}],
  ['without scripts it does too', { javaScriptEnabled: false }],
]) {
  test(title, async () => {
    const page = await signedIn(chromium, options);
    const framed = page.waitForRequest((request) => request.url().startsWith(`${base}/oidc?logout=get&iss=`));
    await page.goto(logoutUrl(), { waitUntil: 'commit' });
    await framed;
    await page.waitForURL(`${base}/`);
    assert.equal((await page.goto(`${base}/`)).status(), 401, await apache.log());
    await page.context().close();
  });
}
