/**
 * Asks the CRM for the customer's number and segment. A sign-in must not depend on it: after half a second, or if it
 * answers with an error, people get in without the claim.
 */
const WAIT_MS = 500;

exports.onExecutePostLogin = async (event, api) => {
  const url = new URL("/v1/customers", event.secrets.CRM_URL);
  url.searchParams.set("email", event.user.email ?? "");
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), WAIT_MS);
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${event.secrets.CRM_TOKEN}`, accept: "application/json" },
      signal: controller.signal,
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { id, segment = "unknown" } = await response.json();
    api.idToken.setCustomClaim("https://example.com/customer", { id, segment });
  } catch (error) {
    console.warn(`no customer data: ${error.name === "AbortError" ? "too slow" : error.message}`);
  } finally {
    clearTimeout(timer);
  }
};
