// Debian's Apache module `auth_openidc` as a relying party: signs in, and is really logged out, by each end of a session.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Browser, apacheSettings, application, eventually, freePort, startApache, startVestibule, testEachEnd, user } from './kit.mjs';

let vestibule;
let apache;
let base;

before(async () => {
  vestibule = await startVestibule();
  // The module must bear what the tenant may switch on.
  await vestibule.api('PATCH', 'tenants/settings', { sessions: { oidc_session_management_enabled: true } });
  const port = await freePort();
  const { callback, backChannel, ...urls } = apacheSettings(port);
  base = urls.base;
  const client = await application(vestibule, {
    callbacks: [callback],
    allowed_logout_urls: [`${base}/`],
    oidc_logout: { backchannel_logout_urls: [backChannel], backchannel_logout_initiators: { mode: 'all' } },
  });
  apache = await startApache({ vestibule, port, client });
});

after(async () => {
  await apache?.stop();
  await vestibule?.stop();
});

async function isSignedIn(browser) {
  const { status, html } = await browser.open(`${base}/`);
  assert.ok(status === 200 || status === 401, html);
  return status === 200;
}

async function signIn(browser, person) {
  const page = await browser.open(`${base}/enter/`);
  const home = await browser.submit(page, { username: person.email, password: person.password });
  assert.equal(home.url, `${base}/enter/`, `${home.status} ${home.html}\n${await apache.log()}`);
  assert.equal(home.headers.get('x-sub'), person.user_id);
  return home.headers.get('x-sid');
}

test('signing out at Apache ends the session at the server and returns', async () => {
  const browser = new Browser();
  const sid = await signIn(browser, await user(vestibule));
  const left = await browser.open(`${base}/oidc?${new URLSearchParams({ logout: `${base}/` })}`);
  assert.equal(left.url.split('?')[0], `${base}/`, left.html);
  assert.equal(left.status, 401);
  await assert.rejects(vestibule.api('GET', `sessions/${sid}`), (error) => error.status === 404);
});

test('a logout token that Apache refuses is not taken for delivered', async () => {
  const forged = await fetch(apacheSettings(new URL(base).port).backChannel, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: 'a.b.c' }),
  });
  assert.equal(forged.status, 400);
  await eventually('Apache says why', async () => /logout/.test(await apache.log()));
});

testEachEnd(() => ({ vestibule, signIn, isSignedIn }));
