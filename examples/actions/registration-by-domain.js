/** Lets people with an address of the company sign up, and nobody else. `reason` is for the log, the second text for them. */
exports.onExecutePreUserRegistration = async (event, api) => {
  const domain = event.user.email?.split("@").pop().toLowerCase();
  const allowed = event.secrets.ALLOWED_DOMAINS.split(",").map((one) => one.trim());
  if (!allowed.includes(domain)) {
    api.access.deny(`domain ${domain} is not allowed`, "Please sign up with your company address.");
  }
};
