// The npm package `express-openid-connect` as a relying party: signs in, and is really logged out, by each end of a session.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import { ManagementClient } from 'auth0';
import express from 'express';
import { auth } from 'express-openid-connect';

import { Browser, application, eventually, freePort, startVestibule, testEachEnd, user } from './kit.mjs';

let vestibule;
let management;
let app;
let base;
let server;

/** The store that the middleware asks for, in memory; it keeps what `express-session` stores keep. */
class MemoryStore {
  kept = new Map();
  get(id, done) {
    done(null, this.kept.get(id));
  }
  set(id, value, done) {
    this.kept.set(id, value);
    done(null);
  }
  destroy(id, done) {
    this.kept.delete(id);
    done(null);
  }
}

before(async () => {
  vestibule = await startVestibule();
  // The middleware must bear what the tenant may switch on.
  await vestibule.api('PATCH', 'tenants/settings', { sessions: { oidc_session_management_enabled: true } });
  const { domain, client_id: clientId, client_secret: clientSecret } = vestibule.admin;
  management = new ManagementClient({ domain, clientId, clientSecret, maxRetries: 0 });
  const port = await freePort();
  base = `http://localhost:${port}`;
  app = await application(vestibule, {
    callbacks: [`${base}/callback`],
    allowed_logout_urls: [base],
    oidc_logout: {
      backchannel_logout_urls: [`${base}/backchannel-logout`],
      backchannel_logout_initiators: { mode: 'all' },
    },
  });
  const site = express();
  site.use(
    auth({
      authRequired: false,
      baseURL: base,
      issuerBaseURL: vestibule.issuer,
      clientID: app.client_id,
      clientSecret: app.client_secret,
      secret: randomBytes(32).toString('hex'),
      idpLogout: true,
      authorizationParams: { response_type: 'code', scope: 'openid profile email' },
      backchannelLogout: { store: new MemoryStore() },
    }),
  );
  site.get('/', (request, response) => {
    response.json({ signed_in: request.oidc.isAuthenticated(), claims: request.oidc.idTokenClaims ?? null });
  });
  server = await new Promise((resolve, reject) => {
    const listening = site.listen(port, '127.0.0.1', (error) => (error ? reject(error) : resolve(listening)));
  });
});

after(async () => {
  if (server) await new Promise((resolve) => server.close(resolve).closeAllConnections());
  await vestibule?.stop();
});

const shown = async (browser) => JSON.parse((await browser.open(`${base}/`)).html);

async function signedIn(person, browser = new Browser()) {
  const page = await browser.open(`${base}/login`);
  const home = await browser.submit(page, { username: person.email, password: person.password });
  assert.equal(home.url, `${base}/`, home.html);
  const { signed_in: isSignedIn, claims } = JSON.parse(home.html);
  assert.ok(isSignedIn);
  assert.equal(claims.sub, person.user_id);
  return { browser, sid: claims.sid };
}

test('sessions.revoke signs the person out of the Express application', async () => {
  const person = await user(vestibule);
  const { browser, sid } = await signedIn(person);
  const bystander = await signedIn(await user(vestibule));
  await management.sessions.revoke(sid);
  await eventually('the application shows nobody', async () => !(await shown(browser)).signed_in);
  assert.equal((await shown(bystander.browser)).signed_in, true);
  const page = await browser.open(`${base}/login`);
  assert.match(page.url, /\/u\/login/, 'the session at the server is gone too');
  const home = await browser.submit(page, { username: person.email, password: person.password });
  assert.equal(JSON.parse(home.html).signed_in, true);
});

test('signing out at the application ends the session at the server and returns', async () => {
  const { browser, sid } = await signedIn(await user(vestibule));
  const left = await browser.open(`${base}/logout`);
  assert.equal(new URL(left.url).origin, base, left.html);
  assert.equal((await shown(browser)).signed_in, false);
  await assert.rejects(management.sessions.get(sid), (error) => error.statusCode === 404);
});

testEachEnd(() => ({
  vestibule,
  signIn: async (browser, person) => (await signedIn(person, browser)).sid,
  isSignedIn: async (browser) => (await shown(browser)).signed_in,
}));
