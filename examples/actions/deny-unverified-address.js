/** Lets nobody in whose address was not confirmed. The session stays as it was. */
exports.onExecutePostLogin = async (event, api) => {
  if (!event.user.email_verified) {
    api.access.deny("Please confirm your address first.");
  }
};
