/**
 * Lets the application's "keep me signed in" box decide whether the session outlives the browser. It sends `ext-remember`
 * with its authorization request; parameters of that kind are passed on untouched.
 */
exports.onExecutePostLogin = async (event, api) => {
  // Only where the session begins: a later application must not change what the user chose in the first.
  if (!event.session || event.session.clients.length > 1) return;
  const wish = event.request.query["ext-remember"];
  if (wish === "yes") api.session.setCookieMode("persistent");
  if (wish === "no") api.session.setCookieMode("non-persistent");
};
