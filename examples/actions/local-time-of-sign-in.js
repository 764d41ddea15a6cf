/**
 * Tells the application at what time of the user's own day they came, for a greeting and for "last seen" texts. The zone is
 * that of their address, unless they chose one.
 */
exports.onExecutePostLogin = async (event, api) => {
  const timeZone = event.user.user_metadata.time_zone ?? event.request.geoip?.timeZone ?? "UTC";
  let format;
  try {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone, weekday: "long", year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit",
    });
  } catch {
    // A zone that somebody typed in by hand is no reason to keep them out.
    console.warn(`unknown time zone ${timeZone}`);
    return;
  }
  const hour = Number(new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit" }).format(new Date()));
  const part = hour < 5 ? "night" : hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening";
  api.idToken.setCustomClaim("https://example.com/local_time", { text: format.format(new Date()), part, zone: timeZone });
};
