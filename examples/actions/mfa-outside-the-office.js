/** Asks for a second factor outside the office's network. A browser may be remembered for a month. */
exports.onExecutePostLogin = async (event, api) => {
  const isInside = event.secrets.OFFICE_PREFIXES.split(",").some((prefix) => event.request.ip.startsWith(prefix.trim()));
  if (isInside || event.refresh_token) return;
  const seen = event.authentication?.methods.find((method) => method.name === "mfa");
  if (!seen) api.multifactor.enable("any", { allowRememberBrowser: true });
};
