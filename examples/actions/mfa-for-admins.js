/**
 * Asks administrators for a second factor, unless this session has seen one. On a server that has none to ask for,
 * `api.multifactor.enable` throws by name and the sign-in fails: better than letting administrators in with a password.
 */
exports.onExecutePostLogin = async (event, api) => {
  const isAdmin = event.authorization?.roles.includes("admin");
  const methods = event.authentication?.methods ?? [];
  if (isAdmin && !methods.some((method) => method.name === "mfa")) {
    api.multifactor.enable("any", { allowRememberBrowser: false });
  }
};
