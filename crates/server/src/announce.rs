//! What the operator reads after the start: what to open, what to trust, one line to try.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::data_folder::{DataFolderError, replace_file};
use crate::start::Server;

/// What `--ready-file` holds.
#[derive(Serialize)]
struct Ready<'a> {
    url: &'a str,
    pid: u32,
}

/// The announcement. `local_authority` tells that clients must be made to trust `ca.pem`.
pub fn text(server: &Server, local_authority: bool) -> String {
    let mut text = format!(
        "\nVestibule is ready.\n\n  Open      {}/\n  Issuer    {}\n",
        server.url,
        server.engine.issuer()
    );
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<9} {value}");
    };
    line("Dashboard", &server.engine.dashboard_url());
    line("Data", &server.folder.path().display().to_string());
    for prepared in &server.prepared.lines {
        line("", prepared);
    }
    let discovery = format!("{}/.well-known/openid-configuration", server.url);
    if local_authority {
        let ca = server.folder.file("ca.pem");
        let ca = ca.display();
        line("Trust", &format!("{ca}  (the certificate of this server's own authority)"));
        line("Node.js", &format!("export NODE_EXTRA_CA_CERTS={ca}"));
        line("Try", &format!("curl --cacert {ca} {discovery}"));
    } else {
        line("Try", &format!("curl {discovery}"));
    }
    text
}

/// Writes the ready file, whole or not at all.
///
/// # Errors
/// [`DataFolderError::Io`].
pub fn write_ready_file(path: &Path, server: &Server) -> Result<(), DataFolderError> {
    let ready = Ready { url: &server.url, pid: std::process::id() };
    replace_file(path, &serde_json::to_string(&ready).unwrap_or_default(), false)
}
