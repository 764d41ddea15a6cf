/**
 * Tells applications and APIs which roles the user has. The claim has a namespace of our own, because names without one
 * may be taken by OpenID tomorrow; an empty list says "no roles" where an absent claim would say "don't know".
 */
const NAMESPACE = "https://example.com/";

exports.onExecutePostLogin = async (event, api) => {
  const roles = event.authorization?.roles ?? [];
  api.idToken.setCustomClaim(`${NAMESPACE}roles`, roles);
  api.accessToken.setCustomClaim(`${NAMESPACE}roles`, roles);
};
