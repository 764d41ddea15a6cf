/**
 * Marks the very first sign-in, so that the application can show its tour. The date is kept, for `logins_count` only says
 * how many there were.
 */
exports.onExecutePostLogin = async (event, api) => {
  const isFirst = event.stats.logins_count <= 1;
  api.idToken.setCustomClaim("https://example.com/is_first_sign_in", isFirst);
  if (isFirst && !event.user.app_metadata.first_sign_in_at) {
    api.user.setAppMetadata("first_sign_in_at", new Date().toISOString());
  }
};
