/**
 * Refuses a sign-in from a place that nobody could have reached since the last one. The place of an address is a guess, so
 * only distances count that can't be a mistake, and a refusal is told in the log with its figures.
 */
const [KM_MIN, KM_PER_HOUR_MAX] = [500, 1000];

const radians = (degrees) => (degrees * Math.PI) / 180;
const kilometres = (a, b) => {
  const [lat, lon] = [radians(b.lat - a.lat), radians(b.lon - a.lon)];
  const h = Math.sin(lat / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(lon / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.sqrt(h));
};

exports.onExecutePostLogin = async (event, api) => {
  const { latitude: lat, longitude: lon } = event.request.geoip ?? {};
  if (lat === undefined || lon === undefined) return;
  const here = { lat, lon, at: Date.now() };
  const last = event.user.app_metadata.last_place;
  if (last) {
    const km = kilometres(last, here);
    // Two sign-ins in one second are a second apart.
    const hours = Math.max(here.at - last.at, 1000) / 3600000;
    if (km > KM_MIN && km / hours > KM_PER_HOUR_MAX) {
      console.warn(`${event.user.user_id}: ${Math.round(km)} km in ${hours.toFixed(2)} h`);
      return api.access.deny("You seem to be in two places at once. Please try again later, or contact support.");
    }
  }
  api.user.setAppMetadata("last_place", here);
};
