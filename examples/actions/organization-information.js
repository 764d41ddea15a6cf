/**
 * Puts the organization of this sign-in into the session, so that a backend can read it by the session's id and
 * each application learns from the logout token which of its organizations' sessions ended.
 */
exports.onExecutePostLogin = async (event, api) => {
  // The exchange of a refresh token has no session.
  if (!event.organization || !event.session) return;
  api.session.setMetadata("org_id", event.organization.id);
  api.session.setMetadata("org_slug", event.organization.name);
};
