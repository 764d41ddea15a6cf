/** Makes the browser forget the session when it closes, for addresses of the reading room. */
const READING_ROOM = "203.0.113.";

exports.onExecutePostLogin = async (event, api) => {
  if (event.request.ip.startsWith(READING_ROOM)) {
    api.session.setCookieMode("non-persistent");
    api.session.setMetadata("place", "reading room");
  }
};
