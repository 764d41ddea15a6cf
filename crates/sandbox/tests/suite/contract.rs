//! Each method of `api`: the command it appends, what the script sees afterwards, the texts it throws.

use crate::kit::commands;
use sandbox::Command;

#[tokio::test]
async fn setting_metadata_is_a_command() {
    let got = commands("api.session.setMetadata('k', 'v')").await;
    assert_eq!(got, [Command::SetSessionMetadata { key: "k".to_owned(), value: "v".to_owned() }]);
}
