// Each way in which a session ends that can be brought about from outside, and whether a relying party hears of it.
//
// A suite gives its relying party; the rest is the same for all: someone signs in, their session ends, the relying party
// shows nobody, a bystander stays, and the log tells the initiator.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Browser } from './browser.mjs';
import { application, user } from './people.mjs';
import { eventually, randomName } from './wait.mjs';

const AWAY = 'http://localhost:9/';
/** The server looks for expired sessions every 25 to 35 seconds; then the delivery. */
const EXPIRY_MS_MAX = 60_000;
const EXPIRES_IN_MS = 1_500;

/** What the user's own settings ask of the Action: nothing of this can be seen by other tests. */
const ACTION = `exports.onExecutePostLogin = async (event, api) => {
  const { ends, from } = event.user.app_metadata;
  if (ends === 'by revoking' && event.client.client_id === from) api.session.revoke('the Action says so');
  if (ends === 'absolutely') api.session.setExpiresAt(Date.now() + ${EXPIRES_IN_MS});
  if (ends === 'idly') api.session.setIdleExpiresAt(Date.now() + ${EXPIRES_IN_MS});
};`;

/** Signs a browser that has a session in at one more application. */
async function passThrough(vestibule, browser, other, scope = 'openid') {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: other.client_id,
    redirect_uri: other.callback,
    scope,
    state: 's',
  });
  return browser.open(`${vestibule.issuer}authorize?${query}`, { until: other.callback });
}

async function token(vestibule, { client_id, client_secret }, fields) {
  const body = new URLSearchParams({ client_id, client_secret, ...fields });
  return (await fetch(`${vestibule.issuer}oauth/token`, { method: 'POST', body })).json();
}

const path = (person) => `users/${encodeURIComponent(person.user_id)}`;

/** `end` is given the server, another application of it, the person, their browser and their session. */
const ENDS = [
  {
    title: 'a sign-out at another application (/v2/logout)',
    initiator: 'rp-logout',
    async end({ vestibule, other, browser }) {
      assert.ok((await passThrough(vestibule, browser, other)).reached, 'the other application needs no password');
      const query = new URLSearchParams({ client_id: other.client_id, returnTo: AWAY });
      assert.ok((await browser.open(`${vestibule.issuer}v2/logout?${query}`, { until: AWAY })).reached);
    },
  },
  {
    title: 'a sign-out at another application (/oidc/logout)',
    initiator: 'rp-logout',
    async end({ vestibule, other, browser, sid }) {
      const query = new URLSearchParams({ client_id: other.client_id, logout_hint: sid, post_logout_redirect_uri: AWAY, state: 'bye' });
      const left = await browser.open(`${vestibule.issuer}oidc/logout?${query}`, { until: AWAY });
      assert.equal(left.parameters?.get('state'), 'bye', left.html);
    },
  },
  {
    title: 'a new password',
    initiator: 'password-changed',
    end: ({ vestibule, person }) => vestibule.api('PATCH', path(person), { password: 'Another-horse-8-battery' }),
  },
  {
    title: 'a new address',
    initiator: 'email-identifier-changed',
    end: ({ vestibule, person }) => vestibule.api('PATCH', path(person), { email: `${randomName('new')}@example.com` }),
  },
  {
    title: 'a block',
    initiator: 'account-deactivated',
    end: ({ vestibule, person }) => vestibule.api('PATCH', path(person), { blocked: true }),
  },
  {
    title: 'the deletion of the account',
    initiator: 'account-deleted',
    end: ({ vestibule, person }) => vestibule.api('DELETE', path(person)),
  },
  {
    title: 'DELETE /sessions/{id}',
    initiator: 'session-revoked',
    end: ({ vestibule, sid }) => vestibule.api('DELETE', `sessions/${sid}`),
  },
  {
    title: 'POST /sessions/{id}/revoke',
    initiator: 'session-revoked',
    end: ({ vestibule, sid }) => vestibule.api('POST', `sessions/${sid}/revoke`),
  },
  {
    title: 'DELETE /users/{id}/sessions',
    initiator: 'session-revoked',
    end: ({ vestibule, person }) => vestibule.api('DELETE', `${path(person)}/sessions`),
  },
  {
    title: 'POST /users/{id}/revoke-access',
    initiator: 'session-revoked',
    end: ({ vestibule, person }) => vestibule.api('POST', `${path(person)}/revoke-access`, {}),
  },
  {
    title: 'somebody else at the same browser',
    initiator: 'session-revoked',
    async end({ vestibule, other, browser }) {
      const next = await user(vestibule);
      const query = new URLSearchParams({ response_type: 'code', client_id: other.client_id, redirect_uri: other.callback, scope: 'openid', state: 's', prompt: 'login' });
      const page = await browser.open(`${vestibule.issuer}authorize?${query}`);
      const done = await browser.submit(page, { username: next.email, password: next.password }, { until: other.callback });
      assert.ok(done.parameters?.get('code'), done.html);
    },
  },
  {
    title: 'an Action that revokes it',
    initiator: 'session-revoked',
    metadata: (other) => ({ ends: 'by revoking', from: other.client_id }),
    async end({ vestibule, other, browser }) {
      const denied = await passThrough(vestibule, browser, other);
      assert.equal(denied.parameters?.get('error_description'), 'the Action says so', denied.html);
    },
  },
  {
    title: 'a refresh token that is used twice',
    initiator: 'session-revoked',
    async end({ vestibule, other, browser }) {
      const { parameters } = await passThrough(vestibule, browser, other, 'openid offline_access');
      const given = await token(vestibule, other, { grant_type: 'authorization_code', code: parameters.get('code'), redirect_uri: other.callback });
      const use = () => token(vestibule, other, { grant_type: 'refresh_token', refresh_token: given.refresh_token });
      assert.ok((await use()).refresh_token, 'the first use is good');
      assert.equal((await use()).error, 'invalid_grant');
    },
  },
  // What was set at the sign-in comes true by itself. Last, so that both wait for one look of the server's.
  { title: 'its absolute expiry', initiator: 'session-expired', metadata: () => ({ ends: 'absolutely' }), waits: true, async end() {} },
  { title: 'its idle expiry', initiator: 'session-expired', metadata: () => ({ ends: 'idly' }), waits: true, async end() {} },
];

/**
 * Declares one test for each end. `party()` gives the started server, `signIn(browser, person)` with the session's id as
 * its answer, and `isSignedIn(browser)`.
 */
export function testEachEnd(party) {
  let bystander;
  let other;
  /** Those that wait for the server's look are begun before the first test, and looked at last. */
  const begun = new Map();

  async function begin({ metadata }) {
    const { vestibule, signIn } = party();
    const person = await user(vestibule, metadata && { app_metadata: metadata(other) });
    const browser = new Browser();
    return { person, browser, sid: await signIn(browser, person) };
  }

  test('people sign in before their sessions end', async () => {
    const { vestibule, isSignedIn } = party();
    const rotating = { rotation_type: 'rotating', expiration_type: 'expiring', leeway: 0 };
    other = await application(vestibule, { allowed_logout_urls: [AWAY], refresh_token: rotating });
    const trigger = { id: 'post-login', version: 'v3' };
    const made = await vestibule.api('POST', 'actions/actions', { name: 'ends', supported_triggers: [trigger], code: ACTION });
    await eventually('the Action is built', async () => (await vestibule.api('GET', `actions/actions/${made.id}`)).status === 'built');
    await vestibule.api('POST', `actions/actions/${made.id}/deploy`);
    const binding = { ref: { type: 'action_id', value: made.id }, display_name: 'ends' };
    await vestibule.api('PATCH', 'actions/triggers/post-login/bindings', { bindings: [binding] });
    bystander = await begin({});
    for (const one of ENDS.filter(({ waits }) => waits)) begun.set(one, await begin(one));
    assert.equal(await isSignedIn(bystander.browser), true);
  });

  for (const one of ENDS) {
    test(`${one.title} reaches the relying party`, async () => {
      const { vestibule, isSignedIn } = party();
      const { person, browser, sid } = begun.get(one) ?? (await begin(one));
      if (!one.waits) assert.equal(await isSignedIn(browser), true);
      await one.end({ vestibule, other, person, browser, sid });
      const told = async () => !(await isSignedIn(browser));
      await eventually('the relying party shows nobody', told, one.waits ? EXPIRY_MS_MAX : undefined);
      assert.equal(await isSignedIn(bystander.browser), true, 'a bystander stays');
      const q = `type:oidc_backchannel_logout_succeeded AND user_id:"${person.user_id}"`;
      const found = () => vestibule.api('GET', `logs?${new URLSearchParams({ q })}`);
      const event = await eventually('the delivery is in the log', async () => (await found())[0]);
      assert.equal(event.details.initiator, one.initiator);
      await assert.rejects(vestibule.api('GET', `sessions/${sid}`), (error) => error.status === 404);
    });
  }
}
