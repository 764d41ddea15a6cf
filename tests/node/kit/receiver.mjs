// A relying party's back-channel logout URL: takes logout tokens and checks them as the specification asks.

import { createServer } from 'node:http';

import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';

import { eventually } from './wait.mjs';

const BODY_BYTES_MAX = 64 * 1024;

/** Listens on a loopback port; `answer` may be changed to see what the server does with refusals. */
export async function startReceiver(issuer) {
  const received = [];
  const state = { status: 200 };
  const keys = createRemoteJWKSet(new URL('.well-known/jwks.json', issuer));
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) {
      text += part;
      if (text.length > BODY_BYTES_MAX) return request.destroy();
    }
    const token = new URLSearchParams(text).get('logout_token');
    received.push({ contentType: request.headers['content-type'], token, claims: decodeJwt(token) });
    response.writeHead(state.status).end();
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}/backchannel-logout`,
    received,
    /** What later requests are answered with. */
    answerWith: (status) => (state.status = status),
    /** The first logout token of a session, checked: signature, issuer, audience. */
    async tokenOf(sid, clientId) {
      const { token } = await eventually(`a logout token for ${sid}`, () => received.find(({ claims }) => claims.sid === sid));
      const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience: clientId });
      return { header: protectedHeader, claims: payload };
    },
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
