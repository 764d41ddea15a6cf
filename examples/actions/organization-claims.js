/**
 * Tells applications under which organization this sign-in stands and what it has booked. The plan is kept in the
 * organization's metadata, where the sales team can change it without a deployment.
 */
const NAMESPACE = "https://example.com/";

exports.onExecutePostLogin = async (event, api) => {
  const { organization } = event;
  if (!organization) return;
  const claims = { org_display_name: organization.display_name, plan: organization.metadata.plan ?? "free" };
  for (const [name, value] of Object.entries(claims)) {
    api.idToken.setCustomClaim(NAMESPACE + name, value);
    api.accessToken.setCustomClaim(NAMESPACE + name, value);
  }
};
