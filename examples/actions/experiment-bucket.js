/**
 * Puts each user into one arm of an experiment: by a hash of their identifier, so that it is the same on every device and
 * nothing needs to be stored. Another name of the experiment shuffles anew.
 */
const { createHash } = require("node:crypto");

const EXPERIMENT = "checkout-2026";
const ARMS = [["control", 50], ["short-form", 30], ["one-page", 20]];

exports.onExecutePostLogin = async (event, api) => {
  const digest = createHash("sha256").update(`${EXPERIMENT}:${event.user.user_id}`).digest();
  let percent = digest.readUInt32BE(0) % 100;
  const [arm] = ARMS.find(([, share]) => (percent -= share) < 0);
  api.idToken.setCustomClaim(`https://example.com/experiments/${EXPERIMENT}`, arm);
};
