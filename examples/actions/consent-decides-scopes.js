/**
 * Gives marketing tools only what the user agreed to: each purpose has a scope, and without consent the scope goes. The
 * consents go into the access token, so that the tool can tell "no" from "never asked".
 */
const PURPOSES = { newsletter: "read:contact", profiling: "read:history" };

exports.onExecutePostLogin = async (event, api) => {
  const consents = event.user.user_metadata.consents ?? {};
  const given = Object.keys(PURPOSES).filter((purpose) => consents[purpose]?.given === true);
  for (const [purpose, scope] of Object.entries(PURPOSES)) {
    if (!given.includes(purpose)) api.accessToken.removeScope(scope);
  }
  api.accessToken.setCustomClaim("https://example.com/consents", structuredClone(consents));
};
