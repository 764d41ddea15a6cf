/**
 * Lets a shift's staff in during office hours, told in the office's own time zone: servers run in UTC, and summer time
 * is nobody's friend.
 */
const [OPENS, CLOSES] = [7, 20];
const ZONE = "Europe/Berlin";

exports.onExecutePostLogin = async (event, api) => {
  if (event.client.metadata.office_hours !== "yes") return;
  const format = new Intl.DateTimeFormat("en-US", { timeZone: ZONE, weekday: "short", hour: "2-digit", hourCycle: "h23" });
  const parts = Object.fromEntries(format.formatToParts(new Date()).map((part) => [part.type, part.value]));
  const isWeekend = parts.weekday === "Sat" || parts.weekday === "Sun";
  const hour = Number(parts.hour);
  if (isWeekend || hour < OPENS || hour >= CLOSES) {
    api.access.deny(`Open Monday to Friday, ${OPENS} to ${CLOSES} o'clock (${ZONE}).`);
  }
};
