/// <reference path="./post-login.d.ts" />
// Types for authors of post-change-password Actions: what this server supports today, and nothing else.
//
// Use it in an editor by `/** @type {PostChangePasswordHandler} */` above `exports.onExecutePostChangePassword`.
// Common types are in post-login.d.ts. Nobody waits for these Actions, and after a crash they may run a second time.

type PostChangePasswordHandler =
  | ((event: PostChangePasswordEvent, api: PostChangePasswordApi) => Promise<void>)
  | ((event: PostChangePasswordEvent, api: PostChangePasswordApi) => void);

interface PostChangePasswordEvent {
  connection: { id: string; name: string; strategy: string; metadata?: Record<string, string> };
  /** The request that changed the password. */
  request: PostLoginRequest;
  secrets: Record<string, string>;
  tenant: { id: string };
  user: {
    user_id: string;
    email?: string;
    email_verified: boolean;
    username?: string;
    phone_number?: string;
    phone_verified?: boolean;
    last_password_reset?: IsoDate;
  };
}

interface PostChangePasswordApi {
  cache: CacheApi;
}
