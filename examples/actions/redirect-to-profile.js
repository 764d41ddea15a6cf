/**
 * Asks for one more thing about the user at each third sign-in, and never for all at once: a form of twelve fields makes
 * people leave. Who doesn't answer is let in and asked again another day.
 */
const QUESTIONS = ["company", "job_title", "team_size"];

exports.onExecutePostLogin = async (event, api) => {
  const next = QUESTIONS.find((name) => !event.user.user_metadata[name]);
  if (!next || event.stats.logins_count % 3 !== 0 || !api.redirect.canRedirect()) return;
  const token = api.redirect.encodeToken({ secret: event.secrets.FORM_SECRET, payload: { ask: next } });
  // The question is kept here too: the answer must not choose what it sets.
  api.transaction.setMetadata("asked", next);
  api.redirect.sendUserTo(event.secrets.FORM_URL, { query: { token, ui_locales: event.transaction?.ui_locales.join(" ") } });
};

exports.onContinuePostLogin = async (event, api) => {
  const asked = event.transaction?.metadata.asked;
  const { answer } = api.redirect.validateToken({ secret: event.secrets.FORM_SECRET, tokenParameterName: "token" });
  if (asked && typeof answer === "string" && answer.trim() !== "") {
    api.user.setUserMetadata(asked, answer.trim().slice(0, 100));
  }
};
