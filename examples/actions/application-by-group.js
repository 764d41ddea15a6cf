/**
 * Opens an application to one group. Which one, the application says itself (`required_group` in its metadata): new ones
 * are closed or open by a setting, without a new Action.
 */
exports.onExecutePostLogin = async (event, api) => {
  const needed = event.client.metadata.required_group;
  if (!needed) return;
  const groups = event.user.app_metadata.groups ?? [];
  if (!groups.includes(needed)) {
    console.log(`${event.user.user_id} is not in ${needed}`);
    api.access.deny(`You have no access to ${event.client.name}.`);
  }
};
