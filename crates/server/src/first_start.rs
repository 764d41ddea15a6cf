//! The first start: what an empty store is given, and what the operator is told of it.
//!
//! Passwords and secrets are written to files that only the operator can read, and printed once, on the start that
//! made them.

use domain::secret::Secret;
use engine::demo::Demo as Seeded;
use engine::first_start::FirstAdministrator;
use engine::{Engine, Error};
use serde::{Deserialize, Serialize};

use crate::config::Demo;
use crate::data_folder::{DataFolder, DataFolderError};

/// How to use the Management API as the first administrator.
const ADMIN_FILE: &str = "admin.json";
/// How to use the demo.
const DEMO_FILE: &str = "demo.json";

/// What the announcement tells beyond the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Lines such as whom to sign in as.
    pub lines: Vec<String>,
}

/// `admin.json`.
#[derive(Serialize)]
struct AdminFile<'a> {
    domain: &'a str,
    issuer: &'a str,
    ca_file: String,
    client_id: &'a str,
    client_secret: &'a str,
    audience: String,
    admin_user_id: &'a str,
    admin_email: &'a str,
    admin_password: &'a str,
}

/// `demo.json`.
#[derive(Serialize, Deserialize)]
struct DemoFile {
    issuer: String,
    user: DemoUser,
    relying_parties: Vec<DemoParty>,
    management: DemoManagement,
}

#[derive(Serialize, Deserialize)]
struct DemoUser {
    email: String,
    password: String,
}

#[derive(Serialize, Deserialize)]
struct DemoParty {
    name: String,
    port: u16,
    client_id: String,
    client_secret: String,
}

#[derive(Serialize, Deserialize)]
struct DemoManagement {
    client_id: String,
    client_secret: String,
    audience: String,
}

/// Gives an empty store its tenant and its first administrator (`admin.json`), and with `--demo` the demonstration
/// (`demo.json`). A store that has them is left as it is, but for the demo's ports.
///
/// # Errors
/// Whatever the store answers; [`Error::Unavailable`] when a file cannot be written.
pub async fn prepare(engine: &Engine, folder: &DataFolder, demo: Option<Demo>) -> Result<Prepared, Error> {
    let mut prepared = Prepared::default();
    if let Some(admin) = engine.ensure_tenant().await? {
        write_admin(engine, folder, &admin)?;
        let file = folder.file(ADMIN_FILE);
        prepared.lines.push(format!("Administrator {}, password {}", admin.email, admin.password.expose()));
        prepared.lines.push(format!("Management API client: see {}", file.display()));
    }
    if let Some(demo) = demo {
        let file = demonstration(engine, folder, demo).await?;
        prepared.lines.push(format!("Demo user {}, password {}", file.user.email, file.user.password));
        for party in &file.relying_parties {
            prepared.lines.push(format!("{} at http://localhost:{}/", party.name, party.port));
        }
    }
    Ok(prepared)
}

fn write_admin(engine: &Engine, folder: &DataFolder, admin: &FirstAdministrator) -> Result<(), Error> {
    let file = AdminFile {
        domain: &engine.settings().domain,
        issuer: engine.issuer(),
        ca_file: folder.file("ca.pem").display().to_string(),
        client_id: &admin.client_id,
        client_secret: admin.client_secret.expose(),
        audience: engine.management_audience(),
        admin_user_id: &admin.user_id,
        admin_email: &admin.email,
        admin_password: admin.password.expose(),
    };
    write(folder, ADMIN_FILE, &file)
}

/// The demo as it is now: seeded on the first start with `--demo`, found and put on today's ports on later ones.
async fn demonstration(engine: &Engine, folder: &DataFolder, demo: Demo) -> Result<DemoFile, Error> {
    let ports = [demo.port_one, demo.port_two];
    let known = folder.read(DEMO_FILE).map_err(unavailable)?;
    let known: Option<DemoFile> = known.and_then(|text| serde_json::from_str(&text).ok());
    let file = match known {
        None => described(engine, engine.seed_demo(ports).await?),
        Some(mut file) => {
            let ids: Vec<&str> = file.relying_parties.iter().map(|party| &*party.client_id).collect();
            let ids: [&str; 2] =
                ids.try_into().map_err(|_| Error::Bug(format!("{DEMO_FILE} names not two clients")))?;
            engine.move_demo(ids, ports).await?;
            for (party, port) in file.relying_parties.iter_mut().zip(ports) {
                party.port = port;
            }
            engine.issuer().clone_into(&mut file.issuer);
            file.management.audience = engine.management_audience();
            file
        }
    };
    write(folder, DEMO_FILE, &file)?;
    Ok(file)
}

fn described(engine: &Engine, seeded: Seeded) -> DemoFile {
    let plain = |secret: &Secret<String>| secret.expose().clone();
    DemoFile {
        issuer: engine.issuer().to_owned(),
        user: DemoUser { email: seeded.email, password: plain(&seeded.password) },
        relying_parties: seeded
            .clients
            .into_iter()
            .map(|client| DemoParty {
                name: client.name,
                port: client.port,
                client_id: client.client_id,
                client_secret: plain(&client.client_secret),
            })
            .collect(),
        management: DemoManagement {
            client_id: seeded.reader_id,
            client_secret: plain(&seeded.reader_secret),
            audience: engine.management_audience(),
        },
    }
}

fn write(folder: &DataFolder, name: &str, file: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(file).map_err(|error| Error::Bug(error.to_string()))?;
    folder.replace(name, &text, true).map_err(unavailable)
}

fn unavailable(error: DataFolderError) -> Error {
    Error::Unavailable(error.to_string())
}
