/**
 * Writes each sign-in to an older audit system that takes forms and Basic authentication. Here the record is the point:
 * what can't be recorded may not happen.
 */
exports.onExecutePostLogin = async (event, api) => {
  const { AUDIT_URL, AUDIT_USER, AUDIT_PASSWORD } = event.secrets;
  const form = new URLSearchParams({ who: event.user.user_id, what: `sign-in ${event.client.name}`, from: event.request.ip });
  if (event.organization) form.append("org", event.organization.name);
  const response = await fetch(AUDIT_URL, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${AUDIT_USER}:${AUDIT_PASSWORD}`).toString("base64")}` },
    body: form,
  });
  if (response.status !== 201) api.access.deny("Sign-ins can't be recorded at the moment, so none are possible.");
};
