/**
 * Joins accounts with the same address: who signed up with a password and comes back through Google stays one customer. The
 * oldest account is the primary one, and this very sign-in goes on as it. Both addresses must be confirmed, or anybody
 * could take over an account by signing up elsewhere under its address. Needs `read:users` and `update:users`.
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
  const { email, email_verified: isVerified, user_id: here, identities = [] } = event.user;
  if (!email || !isVerified || identities.length > 1 || event.refresh_token) return;
  const base = `${event.secrets.MANAGEMENT_URL}/api/v2`;
  try {
    const headers = { authorization: `Bearer ${await tokenOf(event.secrets, api.cache)}`, "content-type": "application/json" };
    const found = await fetch(`${base}/users-by-email?email=${encodeURIComponent(email)}`, { headers });
    if (!found.ok) throw new Error(`users: ${found.status}`);
    const accounts = (await found.json()).filter((user) => user.email_verified);
    const [primary] = accounts.sort((one, other) => Date.parse(one.created_at) - Date.parse(other.created_at));
    if (!primary || primary.user_id === here) return;
    const [provider] = here.split("|", 1);
    const linked = await fetch(`${base}/users/${encodeURIComponent(primary.user_id)}/identities`, {
      method: "POST",
      headers,
      body: JSON.stringify({ provider, user_id: here.slice(provider.length + 1) }),
    });
    if (!linked.ok) throw new Error(`linking: ${linked.status}`);
    api.authentication.setPrimaryUser(primary.user_id);
  } catch (error) {
    // Two accounts are a nuisance; nobody should stay outside for it.
    console.error(`accounts of ${here} are not linked: ${error.message}`);
  }
};
