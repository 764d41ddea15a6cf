/**
 * Lets only those in who have a licence, as the licence service says. The opposite of enriching: where it can't be asked,
 * nobody gets in, because a licence that isn't checked isn't one.
 */
exports.onExecutePostLogin = async (event, api) => {
  const path = `/licences/${encodeURIComponent(event.user.user_id)}/${encodeURIComponent(event.client.client_id)}`;
  let response;
  try {
    response = await fetch(event.secrets.LICENCES_URL + path, { signal: AbortSignal.timeout(3000) });
  } catch (error) {
    console.error(`licence service: ${error.message}`);
    return api.access.deny("Licences can't be checked at the moment. Please try again in a few minutes.");
  }
  if (response.status === 404) return api.access.deny("You have no licence for this application.");
  if (!response.ok) return api.access.deny("Licences can't be checked at the moment. Please try again in a few minutes.");
  const licence = await response.json();
  api.accessToken.setCustomClaim("https://example.com/features", licence.features ?? []);
};
