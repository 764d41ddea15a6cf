/**
 * Gives the session a label that its owner will recognise on a "where you are signed in" page: system, browser, place. The
 * page reads it through the Management API.
 */
const SYSTEMS = [[/iPhone|iPad/, "iOS"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];
const BROWSERS = [[/Edg\//, "Edge"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"]];

const first = (table, text) => table.find(([pattern]) => pattern.test(text))?.[1];

exports.onExecutePostLogin = async (event, api) => {
  if (!event.session || event.session.metadata.label) return;
  const agent = event.request.user_agent ?? "";
  const parts = [first(BROWSERS, agent) ?? "Unknown browser", first(SYSTEMS, agent), event.request.geoip?.cityName];
  api.session.setMetadata("label", parts.filter(Boolean).join(", "));
};
