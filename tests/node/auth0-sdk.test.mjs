// The npm package `auth0`, newest: its ManagementClient, and the AuthenticationClient that it ships as `auth0/legacy`.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { ManagementClient } from 'auth0';
import { AuthenticationClient } from 'auth0/legacy';

import { Browser, application, eventually, randomName, signIn, startReceiver, startVestibule, user } from './kit.mjs';

let vestibule;
let management;

before(async () => {
  vestibule = await startVestibule();
  const { domain, client_id: clientId, client_secret: clientSecret } = vestibule.admin;
  management = new ManagementClient({ domain, clientId, clientSecret, maxRetries: 0 });
});

after(() => vestibule?.stop());

const statusOf = (status) => (error) => {
  assert.equal(error.statusCode, status, error.message);
  return true;
};

/** Signs a new user in to an application, as a browser; the tokens come through the SDK. */
async function signedIn({ app, person, scope = 'openid profile email offline_access', audience } = {}) {
  app ??= await application(vestibule);
  person ??= await user(vestibule);
  const browser = new Browser({ userAgent: 'SDK suite' });
  const verifier = randomBytes(32).toString('base64url');
  const nonce = randomBytes(8).toString('hex');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: app.client_id,
    redirect_uri: app.callback,
    scope,
    state: 'a state',
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(audience && { audience }),
  });
  const reached = await signIn(browser, `${vestibule.issuer}authorize?${query}`, person, app.callback);
  assert.ok(reached.reached, `still on ${reached.url}: ${reached.html}`);
  assert.equal(reached.parameters.get('state'), 'a state');
  const auth = new AuthenticationClient({
    domain: vestibule.domain,
    clientId: app.client_id,
    clientSecret: app.client_secret,
  });
  const { data: tokens } = await auth.oauth.authorizationCodeGrantWithPKCE(
    { code: reached.parameters.get('code'), redirect_uri: app.callback, code_verifier: verifier },
    { idTokenValidateOptions: { nonce } },
  );
  const claims = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
  return { app, auth, browser, claims, person, sid: claims.sid, tokens };
}

describe('sessions', () => {
  test('a session is got with its user, clients, device and times', async () => {
    const { app, person, sid } = await signedIn();
    const session = await management.sessions.get(sid);
    assert.equal(session.id, sid);
    assert.equal(session.user_id, person.user_id);
    assert.deepEqual(session.clients, [{ client_id: app.client_id }]);
    assert.equal(session.device.initial_user_agent, 'SDK suite');
    assert.equal(session.authentication.methods[0].name, 'pwd');
    for (const name of ['created_at', 'updated_at', 'authenticated_at', 'idle_expires_at', 'expires_at']) {
      assert.ok(!Number.isNaN(Date.parse(session[name])), name);
    }
  });

  test('update replaces the metadata, and null and an empty object clear it', async () => {
    const { sid } = await signedIn();
    const update = (session_metadata) => management.sessions.update(sid, { session_metadata });
    const stored = async () => (await management.sessions.get(sid)).session_metadata ?? {};
    assert.deepEqual((await update({ one: '1', two: '2' })).session_metadata, { one: '1', two: '2' });
    assert.deepEqual((await update({ three: '3' })).session_metadata, { three: '3' });
    assert.deepEqual(await stored(), { three: '3' });
    await update(null);
    assert.deepEqual(await stored(), {});
    await update({ four: '4' });
    await update({});
    assert.deepEqual(await stored(), {});
  });

  test('too much metadata is refused in the documented words, and nothing changes', async () => {
    const { sid } = await signedIn();
    await management.sessions.update(sid, { session_metadata: { kept: 'yes' } });
    const many = Object.fromEntries(Array.from({ length: 26 }, (_, index) => [`key_${index}`, 'v']));
    await assert.rejects(management.sessions.update(sid, { session_metadata: many }), (error) => {
      assert.equal(error.statusCode, 400);
      assert.equal(error.body.message, 'Metadata must not exceed 25 entries. Each key and value must be ≤ 255 characters.');
      return true;
    });
    assert.deepEqual((await management.sessions.get(sid)).session_metadata, { kept: 'yes' });
  });

  test('revoke ends the session and the refresh tokens bound to it', async () => {
    const { auth, sid, tokens } = await signedIn();
    await management.sessions.revoke(sid);
    await assert.rejects(management.sessions.get(sid), statusOf(404));
    await assert.rejects(auth.oauth.refreshTokenGrant({ refresh_token: tokens.refresh_token }), (error) => {
      assert.equal(error.error, 'invalid_grant');
      return true;
    });
  });

  test('the sessions of a user are listed and deleted', async () => {
    const { app, person, sid } = await signedIn();
    const second = await signedIn({ app, person });
    const page = await management.users.sessions.list(person.user_id);
    assert.deepEqual(page.data.map(({ id }) => id).sort(), [sid, second.sid].sort());
    await management.users.sessions.delete(person.user_id);
    const left = await eventually('no session is left', async () => {
      const { data } = await management.users.sessions.list(person.user_id);
      return data.length === 0 && data;
    });
    assert.deepEqual(left, []);
  });

  test('an unknown session is not found', async () => {
    await assert.rejects(management.sessions.get('no-such-session'), statusOf(404));
  });
});

describe('clients', () => {
  test('a client is created, got, updated with back-channel logout, and listed', async () => {
    const made = await management.clients.create({
      name: randomName('sdk'),
      app_type: 'regular_web',
      callbacks: ['https://app.example.com/callback'],
      allowed_logout_urls: ['https://app.example.com/'],
    });
    assert.ok(made.client_id && made.client_secret);
    const updated = await management.clients.update(made.client_id, {
      oidc_logout: {
        backchannel_logout_urls: ['https://app.example.com/backchannel-logout'],
        backchannel_logout_initiators: { mode: 'custom', selected_initiators: ['rp-logout', 'idp-logout', 'session-revoked'] },
        backchannel_logout_session_metadata: { include: true },
      },
    });
    const got = await management.clients.get(made.client_id);
    for (const { oidc_logout: logout } of [updated, got]) {
      assert.deepEqual(logout.backchannel_logout_urls, ['https://app.example.com/backchannel-logout']);
      assert.equal(logout.backchannel_logout_initiators.mode, 'custom');
      assert.deepEqual(logout.backchannel_logout_session_metadata, { include: true });
    }
    const names = [];
    for await (const client of await management.clients.list({ per_page: 2 })) names.push(client.name);
    assert.ok(names.includes(made.name), names.join());
    await management.clients.delete(made.client_id);
    await assert.rejects(management.clients.get(made.client_id), statusOf(404));
  });

  test('revoking a session sends its metadata to a client that asked for it', async () => {
    const receiver = await startReceiver(vestibule.issuer);
    try {
      const app = await application(vestibule);
      await management.clients.update(app.client_id, {
        oidc_logout: {
          backchannel_logout_urls: [receiver.url],
          backchannel_logout_initiators: { mode: 'all' },
          backchannel_logout_session_metadata: { include: true },
        },
      });
      const { person, sid } = await signedIn({ app });
      await management.sessions.update(sid, { session_metadata: { org_id: 'org_abc123', org_slug: 'acme' } });
      await management.sessions.revoke(sid);
      const { header, claims } = await receiver.tokenOf(sid, app.client_id);
      assert.equal(header.alg, 'RS256');
      assert.deepEqual(claims.session_metadata, { org_id: 'org_abc123', org_slug: 'acme' });
      assert.equal(claims.sub, person.user_id);
      assert.deepEqual(claims.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
      assert.equal(claims.exp - claims.iat, 120);
      assert.ok(claims.jti && !('nonce' in claims));
      assert.equal(receiver.received[0].contentType, 'application/x-www-form-urlencoded');
    } finally {
      await receiver.stop();
    }
  });
});

describe('the rest of the management API', () => {
  test('a user is created, got, updated, listed and deleted', async () => {
    const email = `${randomName('person')}@example.com`;
    const made = await management.users.create({
      connection: 'Username-Password-Authentication',
      email,
      password: 'Correct-horse-7-battery',
    });
    assert.equal((await management.users.get(made.user_id)).email, email);
    const changed = await management.users.update(made.user_id, { app_metadata: { plan: 'gold' }, name: 'A Person' });
    assert.deepEqual([changed.app_metadata, changed.name], [{ plan: 'gold' }, 'A Person']);
    const found = [];
    for await (const one of await management.users.list({ per_page: 50 })) found.push(one.email);
    assert.ok(found.includes(email));
    await management.users.delete(made.user_id);
    await assert.rejects(management.users.get(made.user_id), statusOf(404));
  });

  test('an API and a grant to it let a machine get a token', async () => {
    const identifier = `https://api.example.com/${randomName('api')}`;
    const api = await management.resourceServers.create({
      identifier,
      name: 'Things',
      scopes: [{ value: 'read:things', description: 'Read things' }],
    });
    const machine = await management.clients.create({
      name: randomName('machine'),
      app_type: 'non_interactive',
      grant_types: ['client_credentials'],
    });
    const grant = await management.clientGrants.create({
      client_id: machine.client_id,
      audience: identifier,
      scope: ['read:things'],
    });
    const grants = [];
    for await (const one of await management.clientGrants.list({ client_id: machine.client_id })) grants.push(one.id);
    assert.deepEqual(grants, [grant.id]);
    const auth = new AuthenticationClient({
      domain: vestibule.domain,
      clientId: machine.client_id,
      clientSecret: machine.client_secret,
    });
    const { data } = await auth.oauth.clientCredentialsGrant({ audience: identifier });
    const claims = JSON.parse(Buffer.from(data.access_token.split('.')[1], 'base64url'));
    assert.equal(claims.scope, 'read:things');
    assert.equal(claims.sub, `${machine.client_id}@clients`);
    assert.equal((await management.resourceServers.get(api.id)).identifier, identifier);
    await management.clientGrants.delete(grant.id);
    await assert.rejects(auth.oauth.clientCredentialsGrant({ audience: identifier }));
    await management.resourceServers.delete(api.id);
  });

  test('an Action is created, deployed and bound, and changes the next sign-in', async () => {
    const action = await management.actions.create({
      name: randomName('action'),
      supported_triggers: [{ id: 'post-login', version: 'v3' }],
      code: `exports.onExecutePostLogin = async (event, api) => {
        api.session.setMetadata('greeting', 'hello ' + event.user.email);
      };`,
    });
    await eventually('the Action is built', async () => (await management.actions.get(action.id)).status === 'built');
    await management.actions.deploy(action.id);
    const bind = (bindings) => management.actions.triggers.bindings.updateMany('post-login', { bindings });
    const bound = await bind([{ ref: { type: 'action_id', value: action.id }, display_name: 'Greeting' }]);
    try {
      assert.equal(bound.bindings.length, 1);
      const { person, sid } = await signedIn();
      const { session_metadata: metadata } = await management.sessions.get(sid);
      assert.deepEqual(metadata, { greeting: `hello ${person.email}` });
    } finally {
      await bind([]);
    }
    await management.actions.delete(action.id);
  });

  test('tenant settings are got and updated', async () => {
    const before = await management.tenants.settings.get();
    assert.equal(before.session_lifetime, 168);
    const after = await management.tenants.settings.update({ friendly_name: 'Node suite', session_lifetime: 100 });
    assert.deepEqual([after.friendly_name, after.session_lifetime], ['Node suite', 100]);
    assert.equal((await management.tenants.settings.get()).session_lifetime, 100);
    await management.tenants.settings.update({ session_lifetime: 168 });
  });

  test('logs are listed, and one is got by its id', async () => {
    await management.tenants.settings.update({ friendly_name: 'Logged' });
    const page = await management.logs.list({ per_page: 10, sort: 'date:-1' });
    const written = page.data.find(({ type }) => type === 'sapi');
    assert.ok(written, JSON.stringify(page.data.map(({ type }) => type)));
    assert.equal((await management.logs.get(written.log_id)).log_id, written.log_id);
  });

  test('a token without the scope is told which one it needs', async () => {
    const machine = await management.clients.create({ name: randomName('machine'), grant_types: ['client_credentials'] });
    await management.clientGrants.create({
      client_id: machine.client_id,
      audience: vestibule.admin.audience,
      scope: ['read:users'],
    });
    const small = new ManagementClient({
      domain: vestibule.domain,
      clientId: machine.client_id,
      clientSecret: machine.client_secret,
      maxRetries: 0,
    });
    await assert.rejects(small.sessions.get('whatever'), (error) => {
      assert.equal(error.statusCode, 403);
      assert.match(error.body.message, /^Insufficient scope, expected any of: .*read:sessions/);
      return true;
    });
  });
});

describe('authentication', () => {
  test('a code without PKCE is exchanged by a client with a secret', async () => {
    const app = await application(vestibule);
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: app.client_id,
      redirect_uri: app.callback,
      scope: 'openid',
      state: 's',
    });
    const reached = await signIn(new Browser(), `${vestibule.issuer}authorize?${query}`, await user(vestibule), app.callback);
    const auth = new AuthenticationClient({
      domain: vestibule.domain,
      clientId: app.client_id,
      clientSecret: app.client_secret,
    });
    const request = { code: reached.parameters.get('code'), redirect_uri: app.callback };
    assert.ok((await auth.oauth.authorizationCodeGrant(request)).data.id_token);
    await assert.rejects(auth.oauth.authorizationCodeGrant(request), (error) => {
      assert.equal(error.error, 'invalid_grant');
      return true;
    });
  });

  test('a refresh token is used, revoked, and then refused', async () => {
    const { auth, tokens } = await signedIn();
    const { data } = await auth.oauth.refreshTokenGrant({ refresh_token: tokens.refresh_token });
    assert.ok(data.access_token);
    const token = data.refresh_token ?? tokens.refresh_token;
    await auth.oauth.revokeRefreshToken({ token });
    await assert.rejects(auth.oauth.refreshTokenGrant({ refresh_token: token }), (error) => {
      assert.equal(error.error, 'invalid_grant');
      return true;
    });
  });

  test('userinfo answers with the profile', async () => {
    const { UserInfoClient } = await import('auth0/legacy');
    const { person, tokens } = await signedIn();
    const info = new UserInfoClient({ domain: vestibule.domain });
    const { data } = await info.getUserInfo(tokens.access_token);
    assert.deepEqual([data.sub, data.email], [person.user_id, person.email]);
    await assert.rejects(info.getUserInfo('nonsense'));
  });
});
