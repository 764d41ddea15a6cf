/**
 * Counts how often this session was used to sign in, and by which application last. Values are strings: numbers are
 * written and read as text.
 */
exports.onExecutePostLogin = async (event, api) => {
  // The exchange of a refresh token has no session.
  if (!event.session) return;
  const count = Number(event.session?.metadata.uses ?? "0") + 1;
  api.session.setMetadata("uses", String(count));
  api.session.setMetadata("last_client", event.client.client_id);
};
