// Tells an application, from a frame in its page, whether the person is signed in as they were.
//
// Spec: OIDC Session Management 1.0 §3.2 and §3.3. Nothing is sent anywhere. Only the page around the frame is answered,
// and what it must bring holds the hash of its own origin, so another origin's could not be right.
const COOKIE = "__Host-vestibule-state=";
const around = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);

async function look(message, origin) {
  const [, client, hash, salt] = /^(.+) ([0-9a-f]{64})\.([\w-]+)$/.exec(message) ?? [];
  // A browser that keeps cookies out of frames hides the answer; "changed" would make the application ask without end.
  if (!hash || (document.hasStorageAccess && !(await document.hasStorageAccess()))) return "error";
  const kept = document.cookie.split("; ").find((pair) => pair.startsWith(COOKIE));
  const text = `${client} ${origin} ${kept?.slice(COOKIE.length) ?? ""} ${salt}`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const now = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return now === hash ? "unchanged" : "changed";
}

addEventListener("message", async ({ data, origin, source }) => {
  if (source && origin === around) source.postMessage(await look(data, origin).catch(() => "error"), origin);
});
