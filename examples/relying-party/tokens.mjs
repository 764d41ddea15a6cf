// Checks the two kinds of token that a relying party receives: ID tokens (OpenID Connect Core §3.1.3.7) and logout
// tokens (OpenID Connect Back-Channel Logout §2.6). Nothing here but Node's own crypto.

import { createPublicKey, verify } from 'node:crypto';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const CLOCK_SKEW_S = 60;
const LOGOUT_TOKEN_AGE_S_MAX = 300;
const JTIS_KEPT_MAX = 1000;
const ALGORITHMS = {
  RS256: (input, key, signature) => verify('RSA-SHA256', input, key, signature),
  ES256: (input, key, signature) => verify('SHA256', input, { key, dsaEncoding: 'ieee-p1363' }, signature),
};

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

/** The header and the claims of a token, unchecked. */
export function read(token) {
  const parts = String(token).split('.');
  if (parts.length !== 3) throw new Error('a token has three parts');
  return { header: decode(parts[0]), claims: decode(parts[1]) };
}

/** What checks tokens of one issuer for one client. */
export function verifier({ issuer, clientId, loadKeys, now = () => Date.now() / 1000 }) {
  let keys = [];
  const seen = new Set();

  async function keyFor(header) {
    const find = () => keys.find((key) => key.kid === header.kid);
    if (!find()) keys = await loadKeys();
    const jwk = find();
    if (!jwk) throw new Error('signed with a key that the issuer does not publish');
    if (jwk.alg && jwk.alg !== header.alg) throw new Error('signed with another algorithm than its key is for');
    return createPublicKey({ key: jwk, format: 'jwk' });
  }

  async function verified(token) {
    const { header, claims } = read(token);
    const check = ALGORITHMS[header.alg];
    if (!check) throw new Error(`algorithm ${header.alg} is not taken`);
    const [head, body, signature] = token.split('.');
    const key = await keyFor(header);
    if (!check(Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) {
      throw new Error('wrong signature');
    }
    if (claims.iss !== issuer) throw new Error('from another issuer');
    if (![claims.aud].flat().includes(clientId)) throw new Error('for another client');
    if (typeof claims.iat !== 'number' || claims.iat > now() + CLOCK_SKEW_S) throw new Error('issued in the future');
    if (typeof claims.exp !== 'number' || claims.exp < now() - CLOCK_SKEW_S) throw new Error('expired');
    return { header, claims };
  }

  return {
    async idToken(token, nonce) {
      const { claims } = await verified(token);
      if (claims.nonce !== nonce) throw new Error('for another sign-in (nonce)');
      if (typeof claims.sub !== 'string') throw new Error('without a subject');
      return claims;
    },

    async logoutToken(token) {
      const { claims } = await verified(token);
      const event = claims.events?.[LOGOUT_EVENT];
      if (typeof event !== 'object' || event === null) throw new Error('not a logout event');
      if ('nonce' in claims) throw new Error('a logout token has no nonce');
      if (typeof claims.sub !== 'string' && typeof claims.sid !== 'string') throw new Error('neither sub nor sid');
      if (claims.iat < now() - LOGOUT_TOKEN_AGE_S_MAX) throw new Error('too old');
      if (typeof claims.jti !== 'string' || seen.has(claims.jti)) throw new Error('seen before (jti)');
      seen.add(claims.jti);
      if (seen.size > JTIS_KEPT_MAX) seen.delete(seen.values().next().value);
      return claims;
    },
  };
}
