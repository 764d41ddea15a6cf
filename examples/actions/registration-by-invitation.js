/**
 * Lets only the invited sign up: asks the application's own service, and writes down who invited them. While it can't be
 * asked, nobody signs up.
 */
exports.onExecutePreUserRegistration = async (event, api) => {
  const url = `${event.secrets.INVITATIONS_URL}/${encodeURIComponent(event.user.email ?? "")}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${event.secrets.INVITATIONS_TOKEN}` } });
  if (response.status === 404) {
    return api.access.deny("not invited", "Signing up is by invitation. Please ask a colleague to invite you.");
  }
  if (!response.ok) throw new Error(`invitations: status ${response.status}`);
  const { invited_by: inviter, team } = await response.json();
  api.user.setAppMetadata("invited_by", inviter);
  api.user.setAppMetadata("team", team ?? "none");
};
