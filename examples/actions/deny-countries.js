/**
 * Refuses sign-ins from countries where the service may not be offered. Where the country isn't known, people get in and
 * the log says so: geolocation is a guess, and the shop checks the address of delivery anyway.
 */
const CLOSED = new Set(["XA", "XB"]);

exports.onExecutePostLogin = async (event, api) => {
  const country = event.request.geoip?.countryCode;
  if (!country) {
    console.warn(`no country for ${event.request.ip}`);
  } else if (CLOSED.has(country)) {
    api.access.deny("This service is not available in your country.");
  }
};
