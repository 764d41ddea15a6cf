/**
 * Keeps user names to letters, digits and dots, and the names of our own staff and addresses to ourselves. Letters that
 * only look like others are refused with the rest: "аdmin" in Cyrillic is no letter of a to z.
 */
const RESERVED = new Set(["admin", "root", "support", "security", "postmaster", "help"]);

exports.onExecutePreUserRegistration = async (event, api) => {
  const name = event.user.username?.toLowerCase();
  if (name === undefined) return;
  if (!/^[a-z][a-z0-9.]{2,29}$/.test(name)) {
    api.validation.error("invalid_username", "User names have 3 to 30 letters, digits or dots, and begin with a letter.");
  } else if (RESERVED.has(name.replaceAll(".", ""))) {
    api.validation.error("reserved_username", "This user name is taken.");
  }
};
