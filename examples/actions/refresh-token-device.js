/**
 * Writes on the refresh token for which device it was given, and when it was last used where. What is set before there is
 * a token waits for the one that this sign-in gives.
 */
exports.onExecutePostLogin = async (event, api) => {
  const agent = (event.request.user_agent ?? "unknown").slice(0, 255);
  if (event.refresh_token) {
    api.refreshToken.setMetadata("last_country", event.request.geoip?.countryCode ?? "unknown");
  } else if (event.transaction?.requested_scopes.includes("offline_access")) {
    api.refreshToken.setMetadata("device", agent);
    api.refreshToken.setMetadata("signed_in_with", event.connection.name);
  }
};
