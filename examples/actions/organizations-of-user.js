/**
 * Tells the application all organizations the user belongs to, for its switcher. The list comes from the Management API;
 * the token for it is kept in the cache, so most sign-ins make one request and not two. Needs `read:organizations`.
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

exports.onExecutePostLogin = async (event, api) => {
  const token = await tokenOf(event.secrets, api.cache);
  const url = `${event.secrets.MANAGEMENT_URL}/api/v2/users/${encodeURIComponent(event.user.user_id)}/organizations`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  // A token that was revoked meanwhile must not stay in the cache.
  if (response.status === 401) api.cache.delete("management-token");
  if (!response.ok) return console.error(`organizations: ${response.status}`);
  const found = await response.json();
  const list = Array.isArray(found) ? found : found.organizations;
  api.idToken.setCustomClaim("https://example.com/organizations", list.map(({ id, name }) => ({ id, name })));
};
