/** Gives each new user what the rest of the system counts on: a plan, where they came from, a language, a time zone. */
exports.onExecutePreUserRegistration = async (event, api) => {
  api.user.setAppMetadata("plan", "free");
  api.user.setAppMetadata("signed_up", {
    client: event.client?.name ?? "api",
    country: event.request.geoip?.countryCode ?? null,
    at: new Date().toISOString(),
  });
  // What the application's form sent along is kept.
  if (!event.user.user_metadata.language) api.user.setUserMetadata("language", event.request.language ?? "en");
  const timeZone = event.request.geoip?.timeZone;
  if (timeZone) api.user.setUserMetadata("time_zone", timeZone);
};
