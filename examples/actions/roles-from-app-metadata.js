/**
 * For tenants that keep roles in `app_metadata`: accepts what years of scripts left there (a list, a text with commas,
 * nothing), and gives APIs one tidy form.
 */
const CLAIM = "https://example.com/roles";

const listOf = (value) => {
  const list = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  return [...new Set(list.map((role) => String(role).trim().toLowerCase()).filter(Boolean))].sort();
};

exports.onExecutePostLogin = async (event, api) => {
  const roles = listOf(event.user.app_metadata.roles);
  api.accessToken.setCustomClaim(CLAIM, roles.length > 0 ? roles : ["member"]);
};
