/// <reference path="./post-login.d.ts" />
// Types for authors of post-user-registration Actions: what this server supports today, and nothing else.
//
// Use it in an editor by `/** @type {PostUserRegistrationHandler} */` above `exports.onExecutePostUserRegistration`.
// Common types are in post-login.d.ts. Nobody waits for these Actions, and after a crash they may run a second time.

type PostUserRegistrationHandler =
  | ((event: PostUserRegistrationEvent, api: PostUserRegistrationApi) => Promise<void>)
  | ((event: PostUserRegistrationEvent, api: PostUserRegistrationApi) => void);

interface PostUserRegistrationEvent {
  connection: { id: string; name: string; strategy: string; metadata?: Record<string, string> };
  /** Absent where the Management API made the user. */
  request?: PostLoginRequest;
  secrets: Record<string, string>;
  tenant: { id: string };
  /** Absent where the Management API made the user. */
  transaction?: Omit<PostLoginTransaction, 'id' | 'metadata'>;
  /** The user as they were made. */
  user: {
    user_id: string;
    email?: string;
    email_verified: boolean;
    username?: string;
    phone_number?: string;
    phone_verified?: boolean;
    name?: string;
    nickname?: string;
    given_name?: string;
    family_name?: string;
    picture?: string;
    created_at: IsoDate;
    updated_at: IsoDate;
    app_metadata: JsonObject;
    user_metadata: JsonObject;
  };
}

interface PostUserRegistrationApi {
  cache: CacheApi;
}
