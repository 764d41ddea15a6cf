/** Ends a trial when its day has come, and tells the application how much is left of it. */
const DAY_MS = 24 * 3600 * 1000;

exports.onExecutePostLogin = async (event, api) => {
  const { plan, trial_ends_at: endsAt } = event.user.app_metadata;
  if (plan !== "trial") return;
  const leftMs = Date.parse(endsAt) - Date.now();
  // An unreadable date is our mistake and not theirs.
  if (Number.isNaN(leftMs)) return console.error(`${event.user.user_id}: trial_ends_at is ${endsAt}`);
  if (leftMs <= 0) return api.access.deny("Your trial has ended. Choose a plan at https://example.com/plans.");
  api.idToken.setCustomClaim("https://example.com/trial_days_left", Math.ceil(leftMs / DAY_MS));
};
