/**
 * Ends a session that turns up in another browser than the one it began in: cookies don't move by themselves. Versions
 * are left out of the comparison, because browsers update in mid-session.
 */
const family = (agent) => (agent ?? "").replace(/[\d._]+/g, "").replace(/\s+/g, " ").trim();

exports.onExecutePostLogin = async (event, api) => {
  const began = event.session?.device.initial_user_agent;
  if (began && family(began) !== family(event.request.user_agent)) {
    // Refresh tokens of native apps were given to another program anyway, and stay.
    api.session.revoke("Your session was used in another browser.", { preserveRefreshTokens: true });
  }
};
