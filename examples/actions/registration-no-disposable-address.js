/**
 * Refuses throw-away addresses: the common ones by a list in the code, the others by asking a service. The service being
 * slow or down costs nobody their registration.
 */
const COMMON = new Set(["mailinator.com", "guerrillamail.com", "10minutemail.com", "yopmail.com"]);

const isDisposable = async (domain, { CHECK_URL, CHECK_KEY }) => {
  if (COMMON.has(domain)) return true;
  try {
    const response = await fetch(`${CHECK_URL}?domain=${encodeURIComponent(domain)}`, {
      headers: { "x-api-key": CHECK_KEY },
      signal: AbortSignal.timeout(1500),
    });
    return response.ok && (await response.json()).disposable === true;
  } catch (error) {
    console.warn(`disposable check: ${error.message}`);
    return false;
  }
};

exports.onExecutePreUserRegistration = async (event, api) => {
  const domain = event.user.email?.split("@").pop().toLowerCase();
  if (domain && (await isDisposable(domain, event.secrets))) {
    api.access.deny("disposable_address", "Please use an address that will still be yours tomorrow.");
  }
};
