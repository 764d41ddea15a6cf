/**
 * Shows the terms in mid-sign-in to those who haven't agreed to the ones in force, and lets them in once they have. The page
 * is the company's own; both sides sign what they say, for it travels through the browser.
 */
const IN_FORCE = "2026-01";

exports.onExecutePostLogin = async (event, api) => {
  if (event.user.app_metadata.terms?.version >= IN_FORCE) return;
  // A silent sign-in and a token exchange have nobody who could agree: they are refused, not waved through.
  if (!api.redirect.canRedirect()) return api.access.deny("terms_required: please sign in again and agree to the terms.");
  const token = api.redirect.encodeToken({
    secret: event.secrets.TERMS_SECRET,
    expiresInSeconds: 600,
    payload: { version: IN_FORCE, locale: event.transaction?.locale },
  });
  api.redirect.sendUserTo(event.secrets.TERMS_URL, { query: { session_token: token } });
};

exports.onContinuePostLogin = async (event, api) => {
  const { agreed } = api.redirect.validateToken({ secret: event.secrets.TERMS_SECRET });
  if (agreed !== IN_FORCE) return api.access.deny("You can use this service once you agree to its terms.");
  api.user.setAppMetadata("terms", { version: agreed, at: new Date().toISOString(), ip: event.request.ip });
};
