/// <reference path="./post-login.d.ts" />
// Types for authors of credentials-exchange Actions: what this server supports today, and nothing else.
//
// Use it in an editor by `/** @type {CredentialsExchangeHandler} */` above `exports.onExecuteCredentialsExchange`.
// Common types are in post-login.d.ts.

type CredentialsExchangeHandler =
  | ((event: CredentialsExchangeEvent, api: CredentialsExchangeApi) => Promise<void>)
  | ((event: CredentialsExchangeEvent, api: CredentialsExchangeApi) => void);

interface CredentialsExchangeEvent {
  /** The token as it is to be, with what earlier Actions set. */
  accessToken: { customClaims: JsonObject; scope: string[] };
  client: { client_id: string; name: string; metadata: Record<string, string> };
  organization?: { id: string; name: string; display_name: string; metadata: Record<string, string> };
  request: PostLoginRequest;
  resource_server: { identifier: string };
  secrets: Record<string, string>;
  tenant: { id: string };
  transaction: { requested_scopes: string[] };
}

interface CredentialsExchangeApi {
  access: {
    /** Refuses the token: `code` becomes the answer's `error`, `reason` its `error_description`. */
    deny(code: string, reason: string): CredentialsExchangeApi;
  };
  accessToken: { setCustomClaim(name: string, value: Json): CredentialsExchangeApi };
  cache: CacheApi;
}
