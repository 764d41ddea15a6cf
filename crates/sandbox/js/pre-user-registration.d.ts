/// <reference path="./post-login.d.ts" />
// Types for authors of pre-user-registration Actions: what this server supports today, and nothing else.
//
// Use it in an editor by `/** @type {PreUserRegistrationHandler} */` above `exports.onExecutePreUserRegistration`.
// Common types are in post-login.d.ts.

type PreUserRegistrationHandler =
  | ((event: PreUserRegistrationEvent, api: PreUserRegistrationApi) => Promise<void>)
  | ((event: PreUserRegistrationEvent, api: PreUserRegistrationApi) => void);

interface PreUserRegistrationEvent {
  /** Absent where the Management API makes the user. */
  client?: { client_id: string; name: string; metadata: Record<string, string> };
  connection: { id: string; name: string; strategy: string; metadata?: Record<string, string> };
  request: PostLoginRequest;
  secrets: Record<string, string>;
  tenant: { id: string };
  /** The user as they are to be: there is no user_id yet. */
  user: {
    email?: string;
    username?: string;
    phone_number?: string;
    name?: string;
    nickname?: string;
    given_name?: string;
    family_name?: string;
    picture?: string;
    app_metadata: JsonObject;
    user_metadata: JsonObject;
  };
}

interface PreUserRegistrationApi {
  access: {
    /** Refuses the registration: `reason` is for the log, `userMessage` for the user. */
    deny(reason: string, userMessage: string): PreUserRegistrationApi;
  };
  cache: CacheApi;
  user: {
    setAppMetadata(name: string, value: Json): PreUserRegistrationApi;
    setUserMetadata(name: string, value: Json): PreUserRegistrationApi;
  };
  validation: { error(code: string, message: string): PreUserRegistrationApi };
}
