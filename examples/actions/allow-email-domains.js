/**
 * Lets people of certain mail domains in, and nobody else. Only a confirmed address counts: anybody can type one. The
 * list is a secret only because secrets can be changed without touching the code.
 */
exports.onExecutePostLogin = async (event, api) => {
  const allowed = event.secrets.ALLOWED_DOMAINS.split(",").map((domain) => domain.trim().toLowerCase());
  const domain = event.user.email?.split("@").pop().toLowerCase();
  if (!event.user.email_verified || !allowed.includes(domain)) {
    api.access.deny("This application is for staff only.");
  }
};
