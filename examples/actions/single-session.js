/**
 * Lets each user have one session: signing in here ends the others, through the Management API. The machine client needs
 * `read:sessions` and `delete:sessions`. The new session isn't in the list yet on its first sign-in, and is left alone on
 * later ones.
 */
exports.onExecutePostLogin = async (event, api) => {
  if (!event.session) return;
  const { MANAGEMENT_URL: base, CLIENT_ID: client_id, CLIENT_SECRET: client_secret } = event.secrets;
  const granted = await fetch(`${base}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "client_credentials", client_id, client_secret, audience: `${base}/api/v2/` }),
  });
  if (!granted.ok) return console.error(`no token: ${granted.status}`);
  const headers = { authorization: `Bearer ${(await granted.json()).access_token}` };
  const user = encodeURIComponent(event.user.user_id);
  const listed = await fetch(`${base}/api/v2/users/${user}/sessions`, { headers });
  const { sessions = [] } = listed.ok ? await listed.json() : {};
  const others = sessions.filter(({ id }) => id !== event.session.id);
  // A run has ten requests; two are used.
  await Promise.all(others.slice(0, 8).map(({ id }) => fetch(`${base}/api/v2/sessions/${id}`, { method: "DELETE", headers })));
};
