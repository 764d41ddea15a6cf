/**
 * Stores a value that may be too long without failing the sign-in: a refused write throws, and here it is caught.
 */
exports.onExecutePostLogin = async (event, api) => {
  // The exchange of a refresh token has no session.
  if (!event.session) return;
  try {
    api.session.setMetadata("agent", event.request.user_agent ?? "");
  } catch (error) {
    console.warn(`not remembered: ${error.message}`);
    api.session.setMetadata("agent", "(too long)");
  }
};
