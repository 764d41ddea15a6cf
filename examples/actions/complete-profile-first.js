/**
 * Sends people back whose profile lacks what the application can't do without. `api.validation.error` has a code beside
 * the text, so that the application can lead them to the right form.
 */
const NEEDED = ["given_name", "family_name"];

exports.onExecutePostLogin = async (event, api) => {
  // Only where they are at a keyboard: a token exchange can't be asked to fill in a form.
  if (event.refresh_token) return;
  const missing = NEEDED.filter((name) => !event.user[name]?.trim());
  if (missing.length > 0) {
    api.validation.error("incomplete_profile", `Please complete your profile: ${missing.join(", ")}.`);
  }
};
