/**
 * Asks for a fresh password before a sensitive API can be used: a session that is older than ten minutes isn't good enough
 * for it. The application reads the error and sends its user through sign-in again with `max_age=0`.
 */
const SENSITIVE = ["https://payments.example.com/"];
const FRESH_MS = 10 * 60 * 1000;

exports.onExecutePostLogin = async (event, api) => {
  if (!SENSITIVE.includes(event.resource_server?.identifier)) return;
  const times = (event.authentication?.methods ?? []).map((method) => Date.parse(method.timestamp));
  if (!(Date.now() - Math.max(...times) <= FRESH_MS)) {
    return api.validation.error("fresh_authentication_required", "Please enter your password again to go on.");
  }
  api.accessToken.setCustomClaim("https://example.com/acr", "fresh");
};
