/**
 * Copies what the session remembers into the tokens of this sign-in, under names of our own: names without a
 * namespace that OpenID has taken are dropped.
 */
const NAMESPACE = "https://example.com/";

exports.onExecutePostLogin = async (event, api) => {
  for (const [key, value] of Object.entries(event.session?.metadata ?? {})) {
    api.idToken.setCustomClaim(NAMESPACE + key, value);
    api.accessToken.setCustomClaim(NAMESPACE + key, value);
  }
};
