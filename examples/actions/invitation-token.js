/**
 * Accepts an invitation: a JWT that our own service signed (RS256) and that the application passes on as `ext-invite`. It
 * must be for this very address, or a forwarded mail would let anyone join.
 */
const { createVerify } = require("node:crypto");

const read = (part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));

const claimsOf = (token, publicKey) => {
  const [head, body, signature] = token.split(".");
  // The algorithm is ours to choose, not the token's.
  if (!signature || read(head).alg !== "RS256") throw new Error("not an RS256 token");
  const isGood = createVerify("RSA-SHA256").update(`${head}.${body}`).verify(publicKey, signature, "base64url");
  if (!isGood) throw new Error("bad signature");
  const claims = read(body);
  if (!(claims.exp * 1000 > Date.now())) throw new Error("expired");
  return claims;
};

exports.onExecutePostLogin = async (event, api) => {
  const token = event.request.query["ext-invite"];
  if (!token) return;
  try {
    const claims = claimsOf(token, event.secrets.INVITATIONS_PUBLIC_KEY);
    if (claims.sub !== event.user.email || !event.user.email_verified) throw new Error("for somebody else");
    api.user.setAppMetadata("team", claims.team);
  } catch (error) {
    console.warn(`invitation: ${error.message}`);
    api.access.deny("This invitation is not valid. Please ask for a new one.");
  }
};
