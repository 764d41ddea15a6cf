/** The claims by which a Hasura server decides what a query may see. All values are texts there, lists of roles excepted. */
exports.onExecutePostLogin = async (event, api) => {
  const roles = ["user", ...(event.authorization?.roles ?? [])];
  const claims = {
    "x-hasura-default-role": "user",
    "x-hasura-allowed-roles": [...new Set(roles)],
    "x-hasura-user-id": event.user.user_id,
  };
  if (event.organization) claims["x-hasura-org-id"] = event.organization.id;
  api.accessToken.setCustomClaim("https://hasura.io/jwt/claims", claims);
};
