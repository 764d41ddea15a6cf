/**
 * Tells an API how the user proved who they are, and when: it can then ask for a newer or stronger proof itself. `amr` is
 * OpenID's own, so the claim has a namespace.
 */
const CLAIM = "https://example.com/authentication";

exports.onExecutePostLogin = async (event, api) => {
  const methods = event.authentication?.methods ?? [];
  const times = methods.map((method) => Date.parse(method.timestamp)).filter(Number.isFinite);
  api.accessToken.setCustomClaim(CLAIM, {
    methods: methods.map((method) => method.name),
    has_second_factor: methods.some((method) => method.name === "mfa"),
    at: times.length > 0 ? Math.floor(Math.max(...times) / 1000) : null,
  });
};
