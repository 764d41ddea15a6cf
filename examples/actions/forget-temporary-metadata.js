/**
 * Clears what an earlier application left in the session under `tmp_`, before it fills up: 25 entries are all there are.
 * Where the user changes to another organization, everything goes.
 */
exports.onExecutePostLogin = async (event, api) => {
  if (!event.session) return;
  const { metadata } = event.session;
  if (metadata.org_id && event.organization && metadata.org_id !== event.organization.id) {
    api.session.evictMetadata();
    api.session.setMetadata("org_id", event.organization.id);
    return;
  }
  for (const key of Object.keys(metadata)) {
    if (key.startsWith("tmp_")) api.session.deleteMetadata(key);
  }
};
