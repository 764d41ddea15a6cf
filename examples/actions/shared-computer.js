/** Makes the browser forget the session when it closes, for addresses of the reading room. */
const READING_ROOM = "203.0.113.";

exports.onExecutePostLogin = async (event, api) => {
  // The exchange of a refresh token has no session.
  if (event.session && event.request.ip.startsWith(READING_ROOM)) {
    api.session.setCookieMode("non-persistent");
    api.session.setMetadata("place", "reading room");
  }
};
