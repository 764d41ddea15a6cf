// A small relying party: signs people in with Vestibule (authorization code, PKCE, state, nonce), shows the ID token
// and the session's metadata, signs out, and lists every logout token that it receives.
//
// Run: ISSUER=https://localhost:8443/ CLIENT_ID=… CLIENT_SECRET=… PORT=8501 NAME="Demo One" node server.mjs
// with NODE_EXTRA_CA_CERTS naming the server's ca.pem. MANAGEMENT_CLIENT_ID, MANAGEMENT_CLIENT_SECRET and
// MANAGEMENT_AUDIENCE are optional: they let it show the session's metadata.

import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

import { CONTENT_SECURITY_POLICY, page } from './page.mjs';
import { read, verifier } from './tokens.mjs';

const EVENTS_KEPT_MAX = 50;
const SESSIONS_KEPT_MAX = 1000;
const BODY_BYTES_MAX = 64 * 1024;
const CALL_MS_MAX = 10_000;

const random = () => randomBytes(32).toString('base64url');
const form = (values) => new URLSearchParams(values);

async function call(url, options = {}) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(CALL_MS_MAX), redirect: 'error', ...options });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error_description ?? body.message ?? `${answer.status} from ${new URL(url).pathname}`);
  return body;
}

async function bodyOf(request) {
  let text = '';
  for await (const part of request) {
    text += part;
    if (text.length > BODY_BYTES_MAX) throw new Error('the body is too long');
  }
  return new URLSearchParams(text);
}

/** Forgets the oldest, so that nothing grows without bound. */
function keep(map, key, value) {
  map.set(key, value);
  if (map.size > SESSIONS_KEPT_MAX) map.delete(map.keys().next().value);
}

/** Starts one relying party; resolves once it listens. */
export async function start({ issuer, clientId, clientSecret, port, name, management }) {
  const home = `http://localhost:${port}/`;
  const callback = `${home}callback`;
  // Cookies know no ports, so the name says whose it is.
  const cookieName = `rp_${port}`;
  const pending = new Map(); // state → what the sign-in was started with
  const sessions = new Map(); // cookie → { idToken, claims }
  const events = []; // newest first
  let discovered;
  let managementToken = { value: '', until: 0 };

  const discovery = async () => (discovered ??= await call(new URL('.well-known/openid-configuration', issuer)));
  const tokens = verifier({ issuer, clientId, loadKeys: async () => (await call((await discovery()).jwks_uri)).keys });

  const cookieOf = (request) =>
    (request.headers.cookie ?? '').split(/; */).map((pair) => pair.split('=')).find(([key]) => key === cookieName)?.[1];

  async function sessionMetadata(sid) {
    if (!management) return { note: 'No management client is configured, so it cannot be read.' };
    try {
      if (Date.now() > managementToken.until) {
        const { client_id, client_secret, audience } = management;
        const answer = await call((await discovery()).token_endpoint, {
          method: 'POST',
          body: form({ grant_type: 'client_credentials', client_id, client_secret, audience }),
        });
        managementToken = { value: answer.access_token, until: Date.now() + (answer.expires_in - 60) * 1000 };
      }
      const session = await call(new URL(`sessions/${encodeURIComponent(sid)}`, management.audience), {
        headers: { authorization: `Bearer ${managementToken.value}` },
      });
      return { metadata: session.session_metadata };
    } catch (error) {
      return { note: `It could not be read: ${error.message}` };
    }
  }

  async function show(request, response, status = 200, problem) {
    const session = sessions.get(cookieOf(request));
    const { metadata, note } = session ? await sessionMetadata(session.claims.sid) : {};
    const html = page({ name, session, metadata, metadataNote: note, events, problem });
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
    });
    response.end(html);
  }

  const redirect = (response, url, cookie) =>
    response.writeHead(303, { location: String(url), 'cache-control': 'no-store', ...(cookie && { 'set-cookie': cookie }) }).end();

  const cookie = (value, rest = '') => `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Lax${rest}`;

  async function signIn(request, response) {
    const [state, nonce, codeVerifier, browser] = [random(), random(), random(), random()];
    keep(pending, state, { nonce, codeVerifier, browser });
    const url = new URL((await discovery()).authorization_endpoint);
    url.search = form({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: callback,
      scope: 'openid profile email',
      state,
      nonce,
      code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    // The cookie ties the answer to the browser that asked.
    redirect(response, url, cookie(browser));
  }

  async function finishSignIn(request, response, url) {
    const started = pending.get(url.searchParams.get('state'));
    pending.delete(url.searchParams.get('state'));
    if (!started || started.browser !== cookieOf(request)) {
      return show(request, response, 400, 'This sign-in was not started here, or it was finished before.');
    }
    if (url.searchParams.has('error')) {
      const text = url.searchParams.get('error_description') ?? '';
      return show(request, response, 400, `${url.searchParams.get('error')}: ${text}`);
    }
    const answer = await call((await discovery()).token_endpoint, {
      method: 'POST',
      body: form({
        grant_type: 'authorization_code',
        client_id: clientId,
        client_secret: clientSecret,
        code: url.searchParams.get('code'),
        redirect_uri: callback,
        code_verifier: started.codeVerifier,
      }),
    });
    const claims = await tokens.idToken(answer.id_token, started.nonce);
    const id = random();
    keep(sessions, id, { idToken: answer.id_token, claims });
    redirect(response, home, cookie(id));
  }

  async function signOut(request, response) {
    const session = sessions.get(cookieOf(request));
    sessions.delete(cookieOf(request));
    const url = new URL((await discovery()).end_session_endpoint);
    url.search = form({
      client_id: clientId,
      post_logout_redirect_uri: home,
      ...(session && { id_token_hint: session.idToken, logout_hint: session.claims.sid }),
    });
    redirect(response, url, cookie('', '; Max-Age=0'));
  }

  /** Ends the local sessions that a logout token means: those of its sid, or without one all of its subject. */
  function endSessions({ sid, sub }) {
    const meant = [...sessions].filter(([, { claims }]) => (sid ? claims.sid === sid : claims.sub === sub));
    for (const [id] of meant) sessions.delete(id);
    return meant.length;
  }

  async function receiveLogout(request, response) {
    const token = (await bodyOf(request)).get('logout_token') ?? '';
    const event = { received_at: new Date().toISOString(), verified: false, problem: null, sessions_ended: 0 };
    try {
      Object.assign(event, read(token));
      event.sessions_ended = endSessions(await tokens.logoutToken(token));
      event.verified = true;
    } catch (error) {
      event.problem = error.message;
    }
    events.unshift(event);
    events.length = Math.min(events.length, EVENTS_KEPT_MAX);
    console.log(`${name}: logout token ${event.verified ? 'verified' : `refused: ${event.problem}`}`);
    const body = event.verified ? '' : JSON.stringify({ error: 'invalid_request', error_description: event.problem });
    response.writeHead(event.verified ? 200 : 400, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
  }

  const json = (response, value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const routes = {
    'GET /': show,
    'GET /sign-in': signIn,
    'GET /callback': finishSignIn,
    'POST /sign-out': signOut,
    'POST /backchannel-logout': receiveLogout,
    'GET /events.json': (request, response) => json(response, events),
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, home);
    const route = routes[`${request.method} ${url.pathname}`];
    try {
      if (!route) return void response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found');
      await (route === show ? show(request, response) : route(request, response, url));
    } catch (error) {
      console.error(`${name}: ${error.stack}`);
      if (!response.headersSent) await show(request, response, 502, error.message);
      else response.end();
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  console.log(`${name} is at ${home}`);
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT, NAME, ...more } = process.env;
  if (!ISSUER || !CLIENT_ID || !CLIENT_SECRET || !PORT) {
    console.error('ISSUER, CLIENT_ID, CLIENT_SECRET and PORT must be set; see the first lines of this file');
    process.exit(2);
  }
  const management = more.MANAGEMENT_CLIENT_ID && {
    client_id: more.MANAGEMENT_CLIENT_ID,
    client_secret: more.MANAGEMENT_CLIENT_SECRET,
    audience: more.MANAGEMENT_AUDIENCE,
  };
  await start({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, port: Number(PORT), name: NAME ?? 'Relying party', management });
}
