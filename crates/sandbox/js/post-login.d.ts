/// <reference path="./platform.d.ts" />
// Types for authors of post-login Actions: what this server supports today, and nothing else.
//
// What is around every Action, such as `fetch` and `require`, is in platform.d.ts. Use it in an editor by
// `/** @type {PostLoginHandler} */` above `exports.onExecutePostLogin` and `exports.onContinuePostLogin`.

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };
/** A date as ISO 8601, such as `2026-01-31T12:00:00.000Z`. */
type IsoDate = string;

/**
 * The function that a post-login Action exports as `onExecutePostLogin`; and, if it sends the browser away, the one that
 * it exports as `onContinuePostLogin` for when the browser is back. There `event.request` is the request to `/continue`.
 */
type PostLoginHandler =
  | ((event: PostLoginEvent, api: PostLoginApi) => Promise<void>)
  | ((event: PostLoginEvent, api: PostLoginApi) => void);

/** The transaction that the Action runs in. A copy: changing it changes nothing but what this Action sees. */
interface PostLoginEvent {
  authentication: { methods: { name: string; timestamp: IsoDate; type?: string }[] };
  authorization: { roles: string[] };
  client: { client_id: string; name: string; metadata: Record<string, string> };
  configuration: JsonObject;
  connection: { id: string; name: string; strategy: string; metadata?: Record<string, string> };
  organization?: { id: string; name: string; display_name: string; metadata: Record<string, string> };
  refresh_token?: PostLoginRefreshToken;
  request: PostLoginRequest;
  resource_server?: { identifier: string };
  /** The secrets of this Action. */
  secrets: Record<string, string>;
  /** Absent in flows without a browser's session. */
  session?: PostLoginSession;
  stats: { logins_count: number };
  tenant: { id: string };
  transaction: PostLoginTransaction;
  user: PostLoginUser;
}

interface PostLoginRequest {
  ip: string;
  method: string;
  query: JsonObject;
  body: JsonObject;
  hostname?: string;
  language?: string;
  user_agent?: string;
  geoip: {
    cityName?: string;
    continentCode?: string;
    countryCode?: string;
    countryCode3?: string;
    countryName?: string;
    latitude?: number;
    longitude?: number;
    subdivisionCode?: string;
    subdivisionName?: string;
    timeZone?: string;
  };
}

interface PostLoginDevice {
  initial_ip?: string;
  initial_asn?: string;
  initial_user_agent?: string;
  last_ip?: string;
  last_asn?: string;
  last_user_agent?: string;
}

interface PostLoginSession {
  id: string;
  user_id: string;
  created_at: IsoDate;
  updated_at: IsoDate;
  authenticated_at: IsoDate;
  idle_expires_at: IsoDate;
  expires_at: IsoDate;
  last_interacted_at: IsoDate;
  clients: { client_id: string }[];
  device: PostLoginDevice;
  cookie: { mode: 'persistent' | 'non-persistent' };
  /** Shows what this Action and earlier ones set, at once. */
  metadata: Record<string, string>;
  /** Of this server only: true where the session vouched for the user, false where a password was proved just now. */
  reused: boolean;
}

interface PostLoginTransaction {
  id?: string;
  acr_values: string[];
  locale: string;
  login_hint?: string;
  prompt: string[];
  protocol: string;
  redirect_uri?: string;
  requested_authorization_details: Json[];
  requested_scopes: string[];
  response_mode?: string;
  response_type: string[];
  state?: string;
  ui_locales: string[];
  metadata: Record<string, string | number | boolean>;
}

interface PostLoginRefreshToken {
  id: string;
  client_id: string;
  user_id: string;
  created_at: IsoDate;
  expires_at?: IsoDate;
  idle_expires_at?: IsoDate;
  last_exchanged_at?: IsoDate;
  rotating: boolean;
  resource_servers: { audience: string; scopes: string }[];
  session_id?: string;
  device: PostLoginDevice;
  metadata?: Record<string, string>;
  /** `offline`: it outlives its session. */
  access: 'offline' | 'online';
}

interface PostLoginUser {
  user_id: string;
  name?: string;
  nickname?: string;
  email?: string;
  email_verified: boolean;
  phone_number?: string;
  phone_verified?: boolean;
  username?: string;
  given_name?: string;
  family_name?: string;
  picture?: string;
  created_at: IsoDate;
  updated_at: IsoDate;
  last_password_reset?: IsoDate;
  app_metadata: JsonObject;
  user_metadata: JsonObject;
  identities: { connection: string; provider: string; user_id: string; isSocial: boolean; profileData?: JsonObject }[];
  multifactor: string[];
  enrolledFactors: Json[];
}

interface CacheRecord {
  value: string;
  /** Milliseconds since 1970. */
  expires_at: number;
}

interface CacheError {
  type: 'error';
  code:
    | 'CacheKeySizeExceeded'
    | 'CacheValueSizeExceeded'
    | 'CacheSizeExceeded'
    | 'InvalidExpiry'
    | 'ItemAlreadyExpired'
    | 'CacheKeyDoesNotExist'
    | 'MaxSideEffectsExceeded';
}

/**
 * Values that Actions of one trigger keep for each other: 20 entries, keys of at most 64 bytes, values of at most 4096, 8 KiB
 * in all. It lives in one server's memory and may be empty at any time. What an Action changes counts when it has ended
 * well, for later Actions of the same run too.
 */
interface CacheApi {
  get(key: string): CacheRecord | undefined;
  /** Kept for 15 minutes unless told otherwise, and for 24 hours at most. Of `ttl` and `expires_at` the earlier counts. */
  set(
    key: string,
    value: string,
    options?: {
      /** Milliseconds. */
      ttl?: number;
      /** Milliseconds since 1970. */
      expires_at?: number;
    },
  ): { type: 'success'; record: CacheRecord } | CacheError;
  delete(key: string): { type: 'success' } | CacheError;
}

/** What an Action may ask for. Nothing happens before the Action has ended well. */
interface PostLoginApi {
  access: {
    /** Refuses this sign-in. Later Actions don't run; the session stays as it was. */
    deny(reason: string): PostLoginApi;
  };
  authentication: {
    /** In `onContinuePostLogin` only: an http or https URL that names what the user has done, kept in the session. */
    recordMethod(providerUrl: string): PostLoginApi;
    /** For later Actions, the session and the tokens the sign-in is this user's. Once in a sign-in. */
    setPrimaryUser(userId: string): void;
  };
  accessToken: {
    setCustomClaim(name: string, value: Json): PostLoginApi;
    /** 1 to 280 characters without spaces. */
    addScope(scope: string): void;
    removeScope(scope: string): void;
  };
  cache: CacheApi;
  idToken: { setCustomClaim(name: string, value: Json): PostLoginApi };
  redirect: {
    /** False for `prompt=none` and for the exchange of a refresh token: a redirect then fails with `interaction_required`. */
    canRedirect(): boolean;
    /** Sends the browser to an http or https URL once this Action has ended; it comes back to `/continue?state=…`. */
    sendUserTo(url: string, options?: { query?: Record<string, string> }): PostLoginApi;
    /** A JWT (HS256) with `iat`, `iss`, `sub`, `exp` (15 minutes unless told otherwise), `ip` and the payload. */
    encodeToken(options: { secret: string; expiresInSeconds?: number; payload?: JsonObject }): string;
    /**
     * In `onContinuePostLogin` only: the claims of the token that came back in `session_token`. Throws unless signature,
     * `exp` and `state` are right.
     */
    validateToken(options: { secret: string; tokenParameterName?: string }): JsonObject;
  };
  session: {
    /**
     * Sets one entry; null removes it. At most 25 entries; keys of `A-Z a-z 0-9 _ -`; keys and values of at most 255
     * characters. Throws otherwise, and where there is no session.
     */
    setMetadata(key: string, value: string | null): void;
    /** Removes one entry. */
    deleteMetadata(key: string): void;
    /** Removes all entries. */
    evictMetadata(): void;
    /** Milliseconds since 1970; the earliest of several calls wins. */
    setExpiresAt(absoluteMs: number): void;
    /** Milliseconds since 1970; holds until the next interaction. */
    setIdleExpiresAt(idleMs: number): void;
    setCookieMode(mode: 'persistent' | 'non-persistent'): void;
    /** Ends the session, and refuses this sign-in. */
    revoke(reason: string, options?: { preserveRefreshTokens?: boolean }): void;
  };
  refreshToken: {
    /**
     * Sets one entry of the refresh token's metadata; null removes it. The rules are those of `api.session`. Before there
     * is a token, what is set waits and belongs to the one that this sign-in gives.
     */
    setMetadata(key: string, value: string | null): void;
    deleteMetadata(key: string): void;
    evictMetadata(): void;
    /** Milliseconds since 1970; can only shorten. */
    setExpiresAt(absoluteMs: number): void;
    /** Milliseconds since 1970; can only shorten; holds until the next exchange. */
    setIdleExpiresAt(idleMs: number): void;
    /** Ends the refresh token, and refuses this exchange. */
    revoke(reason: string): void;
  };
  transaction: {
    /** For later Actions of the same transaction; null removes. Names of at most 64 characters, 16 KB in all. */
    setMetadata(key: string, value: string | number | boolean | null): void;
  };
  user: {
    /** null removes. */
    setAppMetadata(name: string, value: Json): PostLoginApi;
    /** null removes. */
    setUserMetadata(name: string, value: Json): PostLoginApi;
  };
  validation: { error(code: string, message: string): PostLoginApi };
}

declare const exports: { onExecutePostLogin?: PostLoginHandler; onContinuePostLogin?: PostLoginHandler };
declare const module: { exports: typeof exports };
declare const process: { env: Record<string, never> };
declare const console: Record<'log' | 'info' | 'warn' | 'error' | 'debug' | 'trace', (...parts: unknown[]) => void>;
declare function setTimeout(callback: (...parts: any[]) => void, delayMs?: number, ...parts: any[]): number;
declare function setInterval(callback: (...parts: any[]) => void, delayMs?: number, ...parts: any[]): number;
declare function setImmediate(callback: (...parts: any[]) => void, ...parts: any[]): number;
declare function clearTimeout(id?: number): void;
declare function clearInterval(id?: number): void;
declare function clearImmediate(id?: number): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;
