/**
 * Makes refresh tokens of some applications shorter-lived than their settings say: a kiosk's for a day, any for a weekend
 * without use. Lifetimes can only get shorter here.
 */
const [HOUR_MS, DAY_MS] = [3600 * 1000, 24 * 3600 * 1000];

exports.onExecutePostLogin = async (event, api) => {
  if (!event.refresh_token && !event.transaction?.requested_scopes.includes("offline_access")) return;
  if (event.client.metadata.kind === "kiosk") {
    const since = event.refresh_token ? Date.parse(event.refresh_token.created_at) : Date.now();
    api.refreshToken.setExpiresAt(since + DAY_MS);
  }
  api.refreshToken.setIdleExpiresAt(Date.now() + 72 * HOUR_MS);
};
