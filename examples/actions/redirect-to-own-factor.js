/**
 * Uses a second factor of the company's own, such as a card reader: the page asks for it and signs that it was shown. Recorded
 * as a method, it counts for the rest of the session, here for eight hours.
 */
const [METHOD, HOURS] = ["https://factors.example.com/card", 8];

exports.onExecutePostLogin = async (event, api) => {
  const shown = event.authentication?.methods.find((method) => method.name === METHOD);
  if (shown && Date.now() - Date.parse(shown.timestamp) < HOURS * 3600 * 1000) return;
  if (!api.redirect.canRedirect()) return api.access.deny("Please sign in and show your card.");
  const token = api.redirect.encodeToken({ secret: event.secrets.CARD_SECRET, expiresInSeconds: 120, payload: {} });
  api.redirect.sendUserTo(METHOD, { query: { session_token: token } });
};

exports.onContinuePostLogin = async (event, api) => {
  let claims;
  try {
    claims = api.redirect.validateToken({ secret: event.secrets.CARD_SECRET });
  } catch (error) {
    console.warn(`card: ${error.message}`);
    return api.access.deny("Your card could not be read. Please try again.");
  }
  // The card must be this user's, not just anybody's.
  if (claims.sub !== event.user.user_id || claims.card !== "ok") return api.access.deny("This is not your card.");
  api.authentication.recordMethod(METHOD);
};
