// The example relying party refuses what the specification tells it to refuse; no server is needed for that.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';

import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair } from 'jose';

import { page } from '../../examples/relying-party/page.mjs';
import { verifier } from '../../examples/relying-party/tokens.mjs';

const ISSUER = 'https://issuer.example/';
const CLIENT = 'client-one';
const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
const NOW = 1_800_000_000;

const keys = {};
let stranger;

before(async () => {
  for (const algorithm of ['RS256', 'ES256']) {
    const { privateKey, publicKey } = await generateKeyPair(algorithm);
    keys[algorithm] = { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: algorithm, alg: algorithm } };
  }
  stranger = (await generateKeyPair('RS256')).privateKey;
});

const checker = () =>
  verifier({
    issuer: ISSUER,
    clientId: CLIENT,
    loadKeys: async () => Object.values(keys).map(({ jwk }) => jwk),
    now: () => NOW,
  });

const sign = (claims, { algorithm = 'RS256', key = keys[algorithm].privateKey, kid = algorithm } = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid }).sign(key);

const logout = (changes = {}) => {
  const claims = { iss: ISSUER, aud: CLIENT, iat: NOW, exp: NOW + 120, jti: randomUUID(), sub: 'auth0|1', sid: 'sid-1', events: EVENTS };
  return JSON.parse(JSON.stringify({ ...claims, ...changes }));
};

describe('logout tokens', () => {
  for (const algorithm of ['RS256', 'ES256']) {
    test(`one signed with ${algorithm} is taken`, async () => {
      const claims = await checker().logoutToken(await sign(logout(), { algorithm }));
      assert.equal(claims.sid, 'sid-1');
    });
  }

  for (const [what, changes] of Object.entries({
    'from another issuer': { iss: 'https://other.example/' },
    'for another client': { aud: 'client-two' },
    'without a time': { iat: undefined },
    'issued in the future': { iat: NOW + 3600, exp: NOW + 7200 },
    'issued long ago': { iat: NOW - 3600 },
    expired: { exp: NOW - 600 },
    'without an end': { exp: undefined },
    'without the event': { events: { other: {} } },
    'with an event that is no object': { events: { [Object.keys(EVENTS)[0]]: true } },
    'with a nonce': { nonce: 'n' },
    'about nobody': { sub: undefined, sid: undefined },
    'without an id': { jti: undefined },
  })) {
    test(`one ${what} is refused`, async () => {
      await assert.rejects(checker().logoutToken(await sign(logout(changes))));
    });
  }

  test('one that was seen before is refused', async () => {
    const check = checker();
    const token = await sign(logout());
    await check.logoutToken(token);
    await assert.rejects(check.logoutToken(token), /seen before/);
  });

  test('one that a stranger signed, or nobody, or under another key, is refused', async () => {
    await assert.rejects(checker().logoutToken(await sign(logout(), { key: stranger })), /wrong signature/);
    await assert.rejects(checker().logoutToken(new UnsecuredJWT(logout()).encode()), /not taken/);
    await assert.rejects(checker().logoutToken(await sign(logout(), { kid: 'unknown' })), /does not publish/);
    await assert.rejects(checker().logoutToken(await sign(logout(), { kid: 'ES256' })), /another algorithm/);
    await assert.rejects(checker().logoutToken('not a token'));
  });
});

describe('ID tokens', () => {
  test('the nonce must be the one of this sign-in', async () => {
    const token = await sign({ iss: ISSUER, aud: CLIENT, iat: NOW, exp: NOW + 60, sub: 'auth0|1', nonce: 'mine' });
    assert.equal((await checker().idToken(token, 'mine')).sub, 'auth0|1');
    await assert.rejects(checker().idToken(token, 'other'), /nonce/);
  });
});

describe('the page', () => {
  test('what comes from outside cannot become markup', () => {
    const bad = '<script>alert("x")</script>';
    const html = page({
      name: bad,
      session: { claims: { sub: bad, [bad]: bad } },
      metadata: { [bad]: bad },
      events: [{ received_at: bad, verified: false, problem: bad, header: { bad }, claims: { bad }, sessions_ended: 0 }],
      problem: bad,
    });
    assert.ok(!html.includes('<script'), html);
    assert.ok(html.includes('&#60;script&#62;'));
  });
});
