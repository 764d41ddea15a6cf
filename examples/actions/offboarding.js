/**
 * Locks a colleague out who has left: sign-ins are refused, sessions end, and a refresh token is revoked as soon as it is
 * used. The HR system only has to set `offboarded_at`.
 */
exports.onExecutePostLogin = async (event, api) => {
  const at = Date.parse(event.user.app_metadata.offboarded_at ?? "");
  if (!(at <= Date.now())) return;
  const text = "This account is no longer in use.";
  if (event.refresh_token) api.refreshToken.revoke(text);
  else if (event.session) api.session.revoke(text);
  else api.access.deny(text);
};
