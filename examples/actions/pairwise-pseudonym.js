/**
 * Gives partners an identifier that means nothing elsewhere: two partners can't find out that they know the same person.
 * Keyed, because user identifiers can be guessed and hashed.
 */
const crypto = require("crypto");

exports.onExecutePostLogin = async (event, api) => {
  const partner = event.client.metadata.partner;
  if (!partner) return;
  const pseudonym = crypto
    .createHmac("sha256", event.secrets.PSEUDONYM_KEY)
    .update(`${partner}\n${event.user.user_id}`)
    .digest("base64url");
  api.idToken.setCustomClaim("https://example.com/pseudonym", pseudonym);
};
