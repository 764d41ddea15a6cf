/**
 * Ends all of the user's sessions once their password has changed, through the Management API: whoever knew the old one is
 * out. Needs `delete:sessions`.
 */
/** A token of the Management API, asked for once and kept for as long as it is good, less a minute. */
const tokenOf = async ({ MANAGEMENT_URL: base, CLIENT_ID: client_id, CLIENT_SECRET: client_secret }, cache) => {
  const known = cache.get("management-token");
  if (known) return known.value;
  const response = await fetch(`${base}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "client_credentials", client_id, client_secret, audience: `${base}/api/v2/` }),
  });
  if (!response.ok) throw new Error(`no token: ${response.status}`);
  const { access_token: token, expires_in: seconds } = await response.json();
  cache.set("management-token", token, { ttl: (seconds - 60) * 1000 });
  return token;
};

exports.onExecutePostChangePassword = async (event, api) => {
  const token = await tokenOf(event.secrets, api.cache);
  const url = `${event.secrets.MANAGEMENT_URL}/api/v2/users/${encodeURIComponent(event.user.user_id)}/sessions`;
  const response = await fetch(url, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`sessions of ${event.user.user_id}: ${response.status}`);
};
