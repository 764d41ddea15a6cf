/**
 * Revokes a refresh token that is used from another country than it was given in. Phones travel, so this is for
 * applications that don't: it acts only on clients marked `stationary`.
 */
exports.onExecutePostLogin = async (event, api) => {
  if (event.client.metadata.stationary !== "yes") return;
  const country = event.request.geoip?.countryCode;
  if (!country) return;
  if (!event.refresh_token) return api.refreshToken.setMetadata("country", country);
  const home = event.refresh_token.metadata?.country;
  if (home && home !== country) {
    console.warn(`refresh token of ${home} used in ${country}`);
    api.refreshToken.revoke("This device has moved. Please sign in again.");
  }
};
