// Signs the administrator in: authorization code with PKCE, as any public client of this server does.
//
// Spec: RFC 6749 §4.1, RFC 7636, OIDC Core 1.0 §3.1. The access token is kept in memory only. It is short-lived, and renewed
// from the server's session without leaving the page; when that has ended, the administrator signs in again and comes
// back to where they were.

import { SCOPES } from './scopes';

const CLIENT_ID = 'vestibule-dashboard';
const ISSUER = `${location.origin}/`;
const HOME = `${ISSUER}manage/`;
const AUDIENCE = `${ISSUER}api/v2/`;
/** The token is renewed so long before it expires. */
const RENEW_EARLY_MS = 60_000;
/** What is remembered while the browser is at the sign-in page; no token is ever in there. */
const UNDER_WAY = 'vestibule.sign-in';

interface Attempt {
  verifier: string;
  state: string;
  nonce: string;
  path: string;
}

interface Identity {
  sub: string;
  sid: string;
  name?: string;
  email?: string;
}

interface Held {
  token: string;
  idToken: string;
  expiresAt: number;
  scopes: string[];
  identity: Identity;
}

/** The server said no, and why. */
export class SignInError extends Error {
  constructor(
    readonly code: string,
    description: string,
  ) {
    super(description);
  }
}

let held: Held | undefined;
let renewing: Promise<void> | undefined;

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

function newAttempt(path: string): Attempt {
  return { verifier: randomText(), state: randomText(), nonce: randomText(), path };
}

async function authorizeUrl(attempt: Attempt, prompt?: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(attempt.verifier));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: HOME,
    scope: ['openid', 'profile', 'email', ...SCOPES].join(' '),
    audience: AUDIENCE,
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
    ...(prompt && { prompt }),
  });
  return `${ISSUER}authorize?${query}`;
}

function claimsOf(jwt: string): Record<string, unknown> {
  const part = (jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

/** Exchanges the code of an answer. Its signature is not looked at: it came from the server itself (OIDC Core §3.1.3.7). */
async function redeem(answer: URLSearchParams, attempt: Attempt): Promise<void> {
  if (answer.get('state') !== attempt.state) {
    throw new SignInError('state', 'The answer belongs to another sign-in. Please try again.');
  }
  const error = answer.get('error');
  if (error) throw new SignInError(error, answer.get('error_description') ?? error);
  const response = await fetch(`${ISSUER}oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      code: answer.get('code') ?? '',
      redirect_uri: HOME,
      code_verifier: attempt.verifier,
    }),
  });
  const body = (await response.json()) as Record<string, string> & { expires_in: number };
  if (!response.ok) throw new SignInError(body.error ?? 'token', body.error_description ?? 'No token was given.');
  const claims = claimsOf(body.id_token ?? '');
  if (claims.nonce !== attempt.nonce || claims.aud !== CLIENT_ID || claims.iss !== ISSUER) {
    throw new SignInError('id_token', 'The answer belongs to another sign-in. Please try again.');
  }
  held = {
    token: body.access_token ?? '',
    idToken: body.id_token ?? '',
    expiresAt: Date.now() + body.expires_in * 1000,
    scopes: (body.scope ?? '').split(' '),
    identity: claims as unknown as Identity,
  };
}

/** Goes to the sign-in page, and from there back to where the administrator is. `afresh` asks for another account. */
export async function goAndSignIn(afresh = false): Promise<never> {
  const attempt = newAttempt(location.pathname + location.search);
  sessionStorage.setItem(UNDER_WAY, JSON.stringify(attempt));
  location.assign(await authorizeUrl(attempt, afresh ? 'login' : undefined));
  return new Promise<never>(() => {});
}

/** A new token from the server's session, without a page. */
async function renewNow(): Promise<void> {
  const attempt = newAttempt('');
  const response = await fetch(await authorizeUrl(attempt, 'none'), { credentials: 'same-origin' });
  await redeem(new URL(response.url).searchParams, attempt);
}

function renew(): Promise<void> {
  renewing ??= renewNow().finally(() => (renewing = undefined));
  return renewing;
}

const needsPage = (error: unknown) =>
  error instanceof SignInError && ['login_required', 'interaction_required', 'consent_required'].includes(error.code);

/** Signs in at the start of the page: from the answer in its address, from the server's session, or at the sign-in page. */
export async function signIn(): Promise<void> {
  const answer = new URLSearchParams(location.search);
  const remembered = sessionStorage.getItem(UNDER_WAY);
  if (answer.has('state') && (answer.has('code') || answer.has('error'))) {
    sessionStorage.removeItem(UNDER_WAY);
    const attempt = remembered ? (JSON.parse(remembered) as Attempt) : undefined;
    history.replaceState(null, '', attempt?.path ?? HOME);
    // Without what was remembered it is nobody's answer here, as after a restored tab.
    if (attempt) return redeem(answer, attempt);
  }
  await orAtThePage(renew);
}

async function orAtThePage(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!needsPage(error)) throw error;
    await goAndSignIn();
  }
}

/** A token that is good for some time yet. `afresh` when the last one was not taken. */
export async function accessToken(afresh = false): Promise<string> {
  if (!held || afresh || held.expiresAt - Date.now() < RENEW_EARLY_MS) await orAtThePage(renew);
  if (!held) throw new SignInError('login_required', 'Please sign in again.');
  return held.token;
}

/** Who is signed in. */
export const identity = (): Identity | undefined => held?.identity;

/** Whether the server let this person administer at all. */
export const isAdministrator = (): boolean => held?.scopes.some((scope) => scope.includes(':')) ?? false;

/** Ends the session at the server, and with it everything that this page may do. */
export function signOut(): void {
  const query = new URLSearchParams({ post_logout_redirect_uri: HOME, client_id: CLIENT_ID, ...(held && { id_token_hint: held.idToken }) });
  held = undefined;
  location.assign(`${ISSUER}oidc/logout?${query}`);
}
