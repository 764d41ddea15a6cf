/** Acts on the score that `risk-score.js` left: a short session from 30 on, none from 70 on. Bind it after that one. */
const HOUR_MS = 3600 * 1000;

exports.onExecutePostLogin = async (event, api) => {
  const score = event.transaction?.metadata?.risk_score ?? 0;
  api.accessToken.setCustomClaim("https://example.com/risk", score);
  if (score >= 70) {
    api.access.deny("This sign-in looks unusual. Please contact support.");
  } else if (score >= 30 && event.session) {
    api.session.setExpiresAt(Date.now() + HOUR_MS);
    api.session.setCookieMode("non-persistent");
  }
};
