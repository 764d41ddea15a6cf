//! A PostgreSQL of our own for the length of a test run: temporary folder, free port, loopback only.
//!
//! It refuses to run as root, so root lends the folder to another user. Syncing stays on: tests of durability would
//! prove nothing without it.

use std::fs::{self, DirBuilder};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::children::{Children, Event, Failure};
use crate::workspace::{find_program, output_of};

const INIT_LIMIT: Duration = Duration::from_secs(120);
const READY_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const NAME: &str = "postgres";

/// A running PostgreSQL; its folder goes when this is dropped, after its process was ended with the other children.
pub(crate) struct Postgres {
    folder: PathBuf,
    /// `postgres://…` of its superuser.
    pub(crate) url: String,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{} is left behind: {error}", self.folder.display());
        }
    }
}

/// Makes a database and starts it; it listens when this returns.
pub(crate) fn start(children: &mut Children, programs: &Path) -> Result<Postgres, Failure> {
    let owner = Owner::find()?;
    let password = random_word()?;
    let port = free_port()?;
    let folder = std::env::temp_dir().join(format!("vestibule-postgres-{}", random_word()?));
    let url = format!("postgres://vestibule:{password}@127.0.0.1:{port}/postgres");
    make_folder(&folder, &password, &owner)
        .map_err(|error| Failure::because("no folder for PostgreSQL", &error))?;
    let database = Postgres { folder, url };

    let data = database.folder.join("data");
    let mut init = owner.command(&programs.join("initdb"));
    init.arg("--pgdata").arg(&data).arg("--pwfile").arg(database.folder.join("password"));
    init.args(["--username=vestibule", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]);
    init.args(["--no-sync"]).current_dir(&database.folder).stdout(std::process::Stdio::null());
    children.run("initdb", init, INIT_LIMIT)?;

    let mut server = owner.command(&programs.join("postgres"));
    server.arg("-D").arg(&data).arg("-p").arg(port.to_string()).current_dir(&database.folder);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "fsync=on",
        "log_min_messages=panic",
        "log_min_error_statement=panic",
    ] {
        server.arg("-c").arg(setting);
    }
    children.start(NAME, server, true)?;
    wait_until_ready(children, programs, port)?;
    Ok(database)
}

fn wait_until_ready(children: &mut Children, programs: &Path, port: u16) -> Result<(), Failure> {
    let begun = Instant::now();
    let port = port.to_string();
    while begun.elapsed() < READY_LIMIT {
        if output_of(&programs.join("pg_isready"), &["-q", "-h", "127.0.0.1", "-p", &port]).is_some() {
            return Ok(());
        }
        match children.next_event(LOOK_AGAIN) {
            None => {}
            Some(Event::Stop) => return Err(Failure::new("stopped".to_owned())),
            Some(Event::Ended { .. }) => {
                return Err(Failure::new("PostgreSQL ended at its start".to_owned()));
            }
        }
    }
    Err(Failure::new(format!("PostgreSQL was not ready after {} s", READY_LIMIT.as_secs())))
}

fn make_folder(folder: &Path, password: &str, owner: &Owner) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    let file = folder.join("password");
    fs::write(&file, password)?;
    if let Some((uid, gid)) = owner.ids {
        chown(&file, Some(uid), Some(gid))?;
        chown(folder, Some(uid), Some(gid))?;
    }
    Ok(())
}

fn free_port() -> Result<u16, Failure> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Failure::because("no free port", &error))
}

fn random_word() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::because("no random bytes", &error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Who runs it: ourselves, or for root another user through one of the usual programs.
struct Owner {
    name: &'static str,
    ids: Option<(u32, u32)>,
}

impl Owner {
    fn find() -> Result<Self, Failure> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { name: "", ids: None });
        }
        let id = |flag: &str, name: &str| output_of(Path::new("id"), &[flag, name])?.parse().ok();
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Some(Self { name, ids: Some((id("-u", name)?, id("-g", name)?)) }))
            .ok_or_else(|| {
                Failure::new("PostgreSQL refuses to run as root, and there is no other user".to_owned())
            })
    }

    fn command(&self, program: &Path) -> Command {
        let Some((uid, gid)) = self.ids else {
            return Command::new(program);
        };
        if let Some(setpriv) = find_program(&["setpriv"]) {
            let mut command = Command::new(setpriv);
            command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
            command.arg("--").arg(program);
            return command;
        }
        let mut command = Command::new("runuser");
        command.args(["-u", self.name, "--"]).arg(program);
        command
    }
}
