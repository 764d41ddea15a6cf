/**
 * Ends an administrator's session after a quarter of an hour without use. The idle time holds until the next interaction,
 * so it is set at each sign-in, silent ones among them.
 */
const QUARTER_MS = 15 * 60 * 1000;

exports.onExecutePostLogin = async (event, api) => {
  const isAdmin = event.authorization?.roles.includes("admin") || event.user.app_metadata.is_admin === true;
  if (isAdmin && event.session) api.session.setIdleExpiresAt(Date.now() + QUARTER_MS);
};
