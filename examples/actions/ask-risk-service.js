/**
 * Asks a risk service about this sign-in, and does what it says: let in, let in for a short time, or keep out. It gets
 * what it needs and no more: no name, no address but the network one.
 */
const HOUR_MS = 3600 * 1000;

exports.onExecutePostLogin = async (event, api) => {
  const response = await fetch(`${event.secrets.RISK_URL}/assess`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": event.secrets.RISK_KEY },
    body: JSON.stringify({
      subject: event.user.user_id,
      ip: event.request.ip,
      user_agent: event.request.user_agent,
      country: event.request.geoip?.countryCode,
    }),
    signal: AbortSignal.timeout(2000),
  });
  const { verdict, reference } = response.ok ? await response.json() : { verdict: "review" };
  if (verdict === "block") return api.access.deny(`Your sign-in was refused (reference ${reference}).`);
  if (verdict === "review" && event.session) api.session.setExpiresAt(Date.now() + HOUR_MS);
};
