//! The server as a program of its own, started as an operator would, which a test can kill.

use std::process::Stdio;
use std::sync::Arc;

use engine::ports::{Clock, SystemClock};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::api::Api;
use crate::server::{Wire, program};
use crate::store::Place;
use crate::wait;

/// A running program.
pub struct Program {
    child: Child,
    /// How to reach it.
    pub wire: Wire,
    /// The Management API with every scope.
    pub api: Api,
}

impl Program {
    /// Starts it in a place, on a port (0: a free one), and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start(place: &Place, port: u16) -> Self {
        Self::start_with(place, port, &[]).await
    }

    /// As [`Program::start`], with further settings (`section.key=value`).
    ///
    /// # Panics
    /// When it does not listen.
    pub async fn start_with(place: &Place, port: u16, settings: &[&str]) -> Self {
        std::fs::create_dir_all(&place.folder).expect("a folder");
        let ready = place.folder.join("ready.json");
        let _absent = std::fs::remove_file(&ready);
        let data = place.folder.join("data");
        let log = std::fs::File::create(place.folder.join("program.log")).expect("a file");
        let mut command = Command::new(program());
        command.arg("serve").arg("--data").arg(&data).arg("--ready-file").arg(&ready);
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        let own = [
            "tls.enabled=false",
            "logout.allow_insecure_urls=true",
            "actions.allow_private_addresses=true",
            "passwords.memory_kib=64",
            "sandbox.workers=2",
        ];
        for setting in own.iter().chain(settings).map(|setting| (*setting).to_owned()).chain(place.settings())
        {
            command.arg("--set").arg(setting);
        }
        without_our_variables(&mut command);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().expect("the program starts");
        let read = |path: &std::path::Path| -> Option<Value> {
            serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
        };
        wait::until("the program listens", async || {
            if let Some(status) = child.try_wait().expect("a child") {
                let printed = std::fs::read_to_string(place.folder.join("program.log")).unwrap_or_default();
                panic!("the program ended with {status}: {printed}");
            }
            read(&ready)
        })
        .await;
        let admin = wait::until("admin.json", async || read(&data.join("admin.json"))).await;
        let text = |name: &str| admin[name].as_str().expect("text").to_owned();
        let url = text("issuer").trim_end_matches('/').to_owned();
        let wire = Wire::new(url, Arc::new(SystemClock) as Arc<dyn Clock>);
        let api = Api::of(&wire, &text("client_id"), &text("client_secret"), None);
        Self { child, wire, api }
    }

    /// The port that it listens on.
    ///
    /// # Panics
    /// Never.
    pub fn port(&self) -> u16 {
        url::Url::parse(&self.wire.url).ok().and_then(|url| url.port()).expect("a port")
    }

    /// Another command of the program, about this one's data folder.
    pub fn command(&self, place: &Place, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).arg("--data").arg(place.folder.join("data"));
        without_our_variables(&mut command);
        command.stdin(Stdio::null());
        command
    }

    /// The processes of its sandbox workers, in no order.
    pub fn workers(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id().unwrap_or_default()));
        let children = tasks.into_iter().flatten().flatten().map(|task| task.path().join("children"));
        let read = children.filter_map(|path| std::fs::read_to_string(path).ok());
        read.flat_map(|text| text.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
            .collect()
    }

    /// Kills it with SIGKILL and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the program is killed");
    }
}

/// Variables of ours that are meant for the tests would be settings that the program does not know.
fn without_our_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VESTIBULE_"))
    {
        command.env_remove(name);
    }
}
