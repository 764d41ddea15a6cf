// The npm package `openid-client`: the checks of an independent implementation of the specifications.

import assert from 'node:assert/strict';
import { KeyObject } from 'node:crypto';
import { after, before, test } from 'node:test';

import * as client from 'openid-client';

import { Browser, application, signIn, startVestibule, user } from './kit.mjs';

let vestibule;

before(async () => {
  vestibule = await startVestibule();
});

after(() => vestibule?.stop());

const discover = (app, method = client.ClientSecretPost(app.client_secret)) =>
  client.discovery(new URL(vestibule.issuer), app.client_id, undefined, method);

/** A whole sign-in; the checks of state, nonce and PKCE are the library's. */
async function signedIn(app, { parameters = {}, browser = new Browser(), person, config } = {}) {
  config ??= await discover(app);
  person ??= await user(vestibule);
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: app.callback,
    scope: 'openid profile email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  });
  const reached = await signIn(browser, url, person, app.callback);
  assert.ok(reached.reached, `still on ${reached.url}: ${reached.html}`);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce };
  const grant = () => client.authorizationCodeGrant(config, new URL(reached.url), checks);
  return { config, browser, person, url: reached.url, checks, grant };
}

const oauthError = (code) => (error) => {
  assert.equal(error.error, code, `${error.error}: ${error.error_description}`);
  return true;
};

test('discovery names what the server can do', async () => {
  const metadata = (await discover(await application(vestibule))).serverMetadata();
  assert.equal(metadata.issuer, vestibule.issuer);
  assert.ok(metadata.supportsPKCE('S256'));
  assert.equal(metadata.backchannel_logout_supported, true);
  assert.equal(metadata.backchannel_logout_session_supported, true);
  for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri', 'revocation_endpoint', 'end_session_endpoint']) {
    assert.ok(metadata[name]?.startsWith(vestibule.issuer), name);
  }
});

for (const [name, method] of [
  ['in the body', (app) => client.ClientSecretPost(app.client_secret)],
  ['in the header', (app) => client.ClientSecretBasic(app.client_secret)],
]) {
  test(`code and PKCE with the secret ${name}, then userinfo`, async () => {
    const app = await application(vestibule);
    const { config, person, grant } = await signedIn(app, { config: await discover(app, method(app)) });
    const tokens = await grant();
    const claims = tokens.claims();
    assert.equal(claims.sub, person.user_id);
    assert.ok(claims.sid);
    const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
    assert.equal(info.email, person.email);
  });
}

for (const [alg, name, hash] of [
  ['RS256', 'RSASSA-PKCS1-v1_5', 'SHA-256'],
  ['RS384', 'RSASSA-PKCS1-v1_5', 'SHA-384'],
  ['PS256', 'RSA-PSS', 'SHA-256'],
]) {
  test(`a client proves itself by its private key with ${alg} for a code, a refresh token and a revocation`, async () => {
    const kind = { name, hash, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
    const { privateKey, publicKey } = await crypto.subtle.generateKey(kind, true, ['sign', 'verify']);
    const pem = KeyObject.from(publicKey).export({ type: 'spki', format: 'pem' });
    const credentials = [{ credential_type: 'public_key', pem, alg }];
    const app = await application(vestibule, { client_authentication_methods: { private_key_jwt: { credentials } } });
    assert.equal(app.client_secret, undefined);
    const place = `clients/${app.client_id}/credentials`;
    const [{ id, kid }] = await vestibule.api('GET', place);
    const { config, grant } = await signedIn(app, { config: await discover(app, client.PrivateKeyJwt({ key: privateKey, kid })) });
    assert.ok(config.serverMetadata().token_endpoint_auth_signing_alg_values_supported.includes(alg));
    const tokens = await grant();
    const second = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(second.claims().sid, tokens.claims().sid);
    await vestibule.api('PATCH', `${place}/${id}`, { expires_at: '2020-01-01T00:00:00Z' });
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), oauthError('invalid_client'));
    await vestibule.api('PATCH', `${place}/${id}`, { expires_at: null });
    await client.tokenRevocation(config, tokens.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), oauthError('invalid_grant'));
  });
}

test('a public client needs no secret but must prove its code', async () => {
  const app = await application(vestibule, { app_type: 'spa', token_endpoint_auth_method: 'none' });
  const { config, grant, url, checks } = await signedIn(app, { config: await discover(app, client.None()) });
  const other = { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
  await assert.rejects(client.authorizationCodeGrant(config, new URL(url), other), oauthError('invalid_grant'));
  const again = await signedIn(app, { config });
  assert.ok((await again.grant()).id_token);
  assert.ok(grant);
});

test('a client that asks for ES256 gets it', async () => {
  const app = await application(vestibule, { jwt_configuration: { alg: 'ES256' } });
  const config = await client.discovery(
    new URL(vestibule.issuer),
    app.client_id,
    { id_token_signed_response_alg: 'ES256' },
    client.ClientSecretPost(app.client_secret),
  );
  const { grant } = await signedIn(app, { config });
  const { id_token: token } = await grant();
  assert.equal(JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).alg, 'ES256');
});

test('rotation gives a new refresh token each time, and a spent one ends the family', async () => {
  const app = await application(vestibule, {
    refresh_token: { rotation_type: 'rotating', expiration_type: 'expiring', leeway: 0 },
  });
  const { config, grant } = await signedIn(app);
  const first = await grant();
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(second.claims().sid, first.claims().sid);
  await assert.rejects(client.refreshTokenGrant(config, first.refresh_token), oauthError('invalid_grant'));
  await assert.rejects(client.refreshTokenGrant(config, second.refresh_token), oauthError('invalid_grant'));
});

test('a code is used once', async () => {
  const { config, grant } = await signedIn(await application(vestibule));
  const tokens = await grant();
  await assert.rejects(grant(), oauthError('invalid_grant'));
  // The second use revokes what the first gave.
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), oauthError('invalid_grant'));
});

test('a wrong secret is refused as invalid_client', async () => {
  const app = await application(vestibule);
  const { url, checks } = await signedIn(app);
  const wrong = await discover(app, client.ClientSecretPost('not the secret'));
  await assert.rejects(client.authorizationCodeGrant(wrong, new URL(url), checks), oauthError('invalid_client'));
});

test('silent sign-in answers login_required without a session and a code with one', async () => {
  const app = await application(vestibule);
  const config = await discover(app);
  const silent = (expectedState) =>
    client.buildAuthorizationUrl(config, { redirect_uri: app.callback, scope: 'openid', prompt: 'none', state: expectedState });
  const browser = new Browser();
  const refused = await browser.open(silent('one'), { until: app.callback });
  await assert.rejects(
    client.authorizationCodeGrant(config, new URL(refused.url), { expectedState: 'one' }),
    oauthError('login_required'),
  );
  const { grant } = await signedIn(app, { browser, config });
  const { sid } = (await grant()).claims();
  const answered = await browser.open(silent('two'), { until: app.callback });
  const tokens = await client.authorizationCodeGrant(config, new URL(answered.url), { expectedState: 'two' });
  assert.equal(tokens.claims().sid, sid);
});

test('a form_post answer carries code and state in a form', async () => {
  const app = await application(vestibule);
  const config = await discover(app);
  const browser = new Browser();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: app.callback,
    scope: 'openid',
    state: 'posted',
    response_mode: 'form_post',
  });
  const page = await signIn(browser, url, await user(vestibule), app.callback);
  assert.match(page.html, new RegExp(`action="${app.callback.replaceAll('/', '(?:/|&#x2f;|&#47;)')}"`, 'i'));
  assert.match(page.html, /name="code"/);
  assert.match(page.html, /value="posted"/);
});

test('revocation is taken for known and unknown tokens alike', async () => {
  const { config, grant } = await signedIn(await application(vestibule));
  const tokens = await grant();
  await client.tokenRevocation(config, tokens.refresh_token);
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), oauthError('invalid_grant'));
  await client.tokenRevocation(config, 'never was one');
});

test('a wrong password is told on the page and the right one still works', async () => {
  const app = await application(vestibule);
  const config = await discover(app);
  const person = await user(vestibule);
  const browser = new Browser();
  const url = client.buildAuthorizationUrl(config, { redirect_uri: app.callback, scope: 'openid', state: 's' });
  const page = await browser.open(url, { until: app.callback });
  assert.match(page.url, /\/u\/login\?state=/);
  const refused = await browser.submit(page, { username: person.email, password: 'wrong' }, { until: app.callback });
  assert.equal(refused.status, 400);
  assert.match(refused.html, /role="alert"/);
  const reached = await browser.submit(refused, { username: person.email, password: person.password }, { until: app.callback });
  assert.equal(reached.parameters.get('state'), 's');
});

test('an unregistered redirect URI gets a page, never a redirect', async () => {
  const app = await application(vestibule);
  const config = await discover(app);
  const elsewhere = `${app.callback}/deeper`;
  const page = await new Browser().open(
    client.buildAuthorizationUrl(config, { redirect_uri: elsewhere, scope: 'openid', state: 's' }),
    { until: elsewhere },
  );
  assert.equal(page.reached, false);
  assert.ok(page.status >= 400 && page.status < 500, String(page.status));
});
