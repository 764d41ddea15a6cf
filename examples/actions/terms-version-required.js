/**
 * Lets nobody in who hasn't agreed to the terms in force. The agreement is written by the application's own page; see
 * `redirect-to-terms.js` for asking in mid-sign-in.
 */
const IN_FORCE = "2026-01";

exports.onExecutePostLogin = async (event, api) => {
  const agreed = event.user.app_metadata.terms?.version ?? "";
  // Versions are year and month, so they compare as texts.
  if (agreed < IN_FORCE) {
    api.access.deny(`terms_required: please agree to the terms of ${IN_FORCE} at https://example.com/terms.`);
  }
};
