/**
 * Ends sessions that are older than the user's last change of password: whoever changed it may have done so because
 * somebody else knows the old one.
 */
exports.onExecutePostLogin = async (event, api) => {
  const changed = Date.parse(event.user.last_password_reset ?? "");
  if (!event.session || Number.isNaN(changed)) return;
  if (Date.parse(event.session.authenticated_at) < changed) {
    api.session.revoke("Your password was changed. Please sign in again.");
  }
};
