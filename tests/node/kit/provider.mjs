// npm's `oidc-provider`: another maker's OpenID provider, from which a server's users come.

import { createServer } from 'node:http';

import Provider from 'oidc-provider';

import { freePort, randomName } from './wait.mjs';

/** Starts one that knows a single client: the server at `issuer`, by its connection `name`. Whoever types a name is let in. */
export async function startProvider({ issuer, name }) {
  const port = await freePort();
  const client = {
    client_id: randomName('client'),
    client_secret: randomName('secret'),
    redirect_uris: [`${issuer}login/callback`],
    post_logout_redirect_uris: [`${issuer}logout/callback`],
    backchannel_logout_uri: `${issuer}logout/backchannel/${name}`,
    backchannel_logout_session_required: true,
  };
  const provider = new Provider(`http://localhost:${port}`, {
    clients: [client],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomName('key')] },
    features: { backchannelLogout: { enabled: true } },
    // Its own way out refuses loopback addresses, where these tests live.
    fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@provider.example`, email_verified: true, name: `Name of ${id}` }),
    }),
  });
  const refusals = [];
  provider.on('backchannel.error', (_, error) => refusals.push(error));
  const server = createServer(provider.callback());
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    client,
    issuer: provider.issuer,
    /** What went wrong when it told the server of a logout. */
    refusals,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
