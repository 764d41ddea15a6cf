/**
 * Takes scopes out of the access token that the user's roles don't back. Applications may ask for everything they can
 * do; what a token allows is decided here.
 */
const NEEDS = { "delete:orders": ["manager"], "read:reports": ["manager", "auditor"] };

exports.onExecutePostLogin = async (event, api) => {
  const roles = event.authorization?.roles ?? [];
  for (const [scope, needed] of Object.entries(NEEDS)) {
    const isAsked = event.transaction?.requested_scopes.includes(scope);
    if (isAsked && !needed.some((role) => roles.includes(role))) {
      console.log(`${scope} is not for ${event.user.user_id}`);
      api.accessToken.removeScope(scope);
    }
  }
  if (roles.includes("auditor")) api.accessToken.addScope("read:audit");
};
