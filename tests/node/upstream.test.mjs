// Users who come from npm's `oidc-provider`, and its word that their session there is over.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Browser, application, eventually, startProvider, startReceiver, startVestibule } from './kit.mjs';

const NAME = 'elsewhere';

let vestibule;
let provider;
let receiver;
let app;

before(async () => {
  vestibule = await startVestibule({ settings: ['upstream.allow_hosts=localhost'] });
  provider = await startProvider({ issuer: vestibule.issuer, name: NAME });
  receiver = await startReceiver(vestibule.issuer);
  app = await application(vestibule, {
    oidc_logout: { backchannel_logout_urls: [receiver.url], backchannel_logout_initiators: { mode: 'custom', selected_initiators: ['rp-logout', 'password-changed', 'idp-logout'] } },
  });
  await vestibule.api('POST', 'connections', {
    name: NAME,
    strategy: 'oidc',
    options: { type: 'back_channel', issuer: provider.issuer, client_id: provider.client.client_id, client_secret: provider.client.client_secret },
    enabled_clients: [app.client_id],
  });
});

after(async () => {
  await receiver?.stop();
  await provider?.stop();
  await vestibule?.stop();
});

/** Through the provider's own pages for the name and the consent; gives the claims of our ID token. */
async function signIn(browser, who) {
  const query = new URLSearchParams({ response_type: 'code', client_id: app.client_id, redirect_uri: app.callback, scope: 'openid profile email', state: 's', connection: NAME });
  let page = await browser.open(`${vestibule.issuer}authorize?${query}`, { until: app.callback });
  if (!page.reached) page = await browser.submit(page, { login: who, password: 'anything' }, { until: app.callback });
  if (!page.reached) page = await browser.submit(page, {}, { until: app.callback });
  assert.ok(page.parameters?.get('code'), `${page.url} ${page.html}`);
  const body = new URLSearchParams({ grant_type: 'authorization_code', code: page.parameters.get('code'), redirect_uri: app.callback, client_id: app.client_id, client_secret: app.client_secret });
  const tokens = await (await fetch(`${vestibule.issuer}oauth/token`, { method: 'POST', body })).json();
  return JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
}

const isGone = (sid) => vestibule.api('GET', `sessions/${sid}`).then(() => false, (error) => error.status === 404);

test('somebody signs in there, signs out there, and is signed out here and at our application', async () => {
  const [browser, other] = [new Browser(), new Browser()];
  const claims = await signIn(browser, 'mona');
  assert.equal(claims.sub, `oidc|${NAME}|mona`);
  assert.equal(claims.email, 'mona@provider.example');
  const bystander = await signIn(other, 'nils');

  const question = await browser.open(`${provider.issuer}/session/end?client_id=${provider.client.client_id}`);
  const form = question.html.match(/name="xsrf" value="([^"]+)"/);
  assert.ok(form, question.html);
  await browser.open(`${provider.issuer}/session/end/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf: form[1], logout: 'yes' }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  await eventually('the session is over here', () => isGone(claims.sid));
  assert.deepEqual(provider.refusals, []);
  const told = await receiver.tokenOf(claims.sid, app.client_id);
  assert.equal(told.claims.sub, claims.sub);
  const [event] = await vestibule.api('GET', 'logs?q=type:slo');
  assert.equal(event.details.initiated_by, 'idp-logout');
  assert.equal(await isGone(bystander.sid), false);
});

test('a federated sign-out passes by the provider and ends at the application', async () => {
  const browser = new Browser();
  await signIn(browser, 'olga');
  await vestibule.api('PATCH', `clients/${app.client_id}`, { allowed_logout_urls: ['http://localhost:9/bye'] });
  const query = new URLSearchParams({ federated: '', client_id: app.client_id, returnTo: 'http://localhost:9/bye' });
  const question = await browser.open(`${vestibule.issuer}v2/logout?${query}`);
  assert.ok(question.url.startsWith(`${provider.issuer}/session/end`), question.url);
  const xsrf = question.html.match(/name="xsrf" value="([^"]+)"/)[1];
  const done = await browser.open(`${provider.issuer}/session/end/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    until: 'http://localhost:9/bye',
  });
  assert.ok(done.reached, `${done.url} ${done.html}`);
});
