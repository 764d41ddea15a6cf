/** Gives users without a picture their Gravatar. The service wants the MD5 of the address in lower case. */
const crypto = require("node:crypto");

exports.onExecutePostLogin = async (event, api) => {
  if (event.user.picture || !event.user.email) return;
  const hash = crypto.createHash("md5").update(event.user.email.trim().toLowerCase()).digest("hex");
  // `d=identicon`: strangers get a pattern and not a broken image.
  api.idToken.setCustomClaim("picture", `https://www.gravatar.com/avatar/${hash}?d=identicon&s=128`);
};
