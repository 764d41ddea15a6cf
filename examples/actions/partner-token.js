/**
 * Verifies a partner's token (ES256) with the keys that the partner publishes, by the Web Crypto API, and passes its tier
 * on. Whatever is wrong with it, the user gets in as an ordinary customer.
 */
const read = (part) => JSON.parse(Buffer.from(part, "base64url").toString());

const verified = async (token, { PARTNER_JWKS_URL, PARTNER_ISSUER }, audience) => {
  const [head, body, signature] = token.split(".");
  const { alg, kid } = read(head);
  const { keys } = await (await fetch(PARTNER_JWKS_URL)).json();
  const jwk = keys.find((key) => key.kid === kid);
  if (alg !== "ES256" || !jwk) throw new Error("unknown key or algorithm");
  const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  const signed = new TextEncoder().encode(`${head}.${body}`);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const isGood = await crypto.subtle.verify(algorithm, key, Buffer.from(signature, "base64url"), signed);
  const claims = read(body);
  if (!isGood || claims.iss !== PARTNER_ISSUER || claims.aud !== audience || claims.exp * 1000 <= Date.now()) {
    throw new Error("not a good token for us");
  }
  return claims;
};

exports.onExecutePostLogin = async (event, api) => {
  const token = event.request.query["ext-partner-token"];
  if (!token) return;
  try {
    const claims = await verified(token, event.secrets, event.client.client_id);
    api.idToken.setCustomClaim("https://example.com/partner_tier", claims.tier);
  } catch (error) {
    console.warn(`partner token: ${error.message}`);
  }
};
