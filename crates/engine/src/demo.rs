//! What `serve --demo` adds: a user, an Action that sets session metadata, and two clients that want to hear of
//! logouts.

use domain::action::{Action, ActionSource, ActionVersion, Binding, TRIGGER_POST_LOGIN, TriggerBindings};
use domain::client::{Client, ClientAuthMethod};
use domain::connection::{CONNECTION_DEFAULT, Connection};
use domain::id::{ActionId, ClientId, alphanumeric, uuid};
use domain::logout::{Initiators, LogoutSettings};
use domain::scope::Scopes;
use domain::secret::Secret;
use domain::user::User;
use store::{Key, Tx};

use crate::{Engine, Error, Resource};

/// The demo's Action.
const ACTION_CODE: &str = include_str!("demo/remember_device.js");
const ACTION_NAME: &str = "Remember device and sign-ins";
/// The demo's user.
const EMAIL: &str = "ada@example.com";

/// A relying party of the demo: where it listens, and who it is.
#[derive(Debug, Clone)]
pub struct DemoClient {
    /// Its name.
    pub name: String,
    /// Its port on the loopback address.
    pub port: u16,
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret<String>,
}

/// How to use the demo.
#[derive(Debug, Clone)]
pub struct Demo {
    /// Whom to sign in as.
    pub email: String,
    /// With which password.
    pub password: Secret<String>,
    /// The two relying parties.
    pub clients: Vec<DemoClient>,
    /// A machine client that may read sessions.
    pub reader_id: String,
    /// Its secret.
    pub reader_secret: Secret<String>,
}

impl Engine {
    /// Adds the demo to a tenant that does not have it. The relying parties listen on the given ports.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the demo's user or Action is there already; whatever the store answers.
    pub async fn seed_demo(&self, ports: [u16; 2]) -> Result<Demo, Error> {
        let connection = self.store().find::<Connection>("name", &Key::of(CONNECTION_DEFAULT)).await?;
        let connection = connection.ok_or(Error::NotFound(Resource::Connection))?;
        let password = Secret::new(alphanumeric(&self.random::<12>()));
        let password_hash = self.hash_password(password.clone()).await?;
        let mut user = self.new_database_user(&connection, EMAIL, password_hash);
        user.name = Some("Ada Lovelace".to_owned());
        user.given_name = Some("Ada".to_owned());
        user.family_name = Some("Lovelace".to_owned());
        user.email_verified = true;
        let clients = [("Demo One", ports[0]), ("Demo Two", ports[1])];
        let clients = clients.map(|(name, port)| (self.demo_client(name, port), port));
        let reader = self.machine_client("Demo session reader");
        let audience = self.management_audience();
        let grant = self.grant_for(&reader.id, &audience, Scopes::parse("read:sessions"));
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                tx.insert::<User>(user.clone());
                for (client, _) in &clients {
                    tx.insert(client.clone());
                }
                tx.insert(reader.clone());
                tx.insert(grant.clone());
                self.bind_demo_action(tx).await
            })
            .await?;
        let demo_client = |(client, port): &(Client, u16)| -> Result<DemoClient, Error> {
            Ok(DemoClient {
                name: client.name.clone(),
                port: *port,
                client_id: client.id.to_string(),
                client_secret: self.client_secret(client)?,
            })
        };
        Ok(Demo {
            email: EMAIL.to_owned(),
            password,
            clients: clients.iter().map(demo_client).collect::<Result<_, _>>()?,
            reader_id: reader.id.to_string(),
            reader_secret: self.client_secret(&reader)?,
        })
    }

    /// Points the demo's clients at other ports.
    ///
    /// # Errors
    /// [`Error::NotFound`] when a client was deleted.
    pub async fn move_demo(&self, client_ids: [&str; 2], ports: [u16; 2]) -> Result<(), Error> {
        self.store()
            .transact(async |tx| -> Result<(), Error> {
                for (id, port) in client_ids.into_iter().zip(ports) {
                    let client = tx.get::<Client>(&Key::of(id)).await?;
                    let mut client = client.ok_or(Error::NotFound(Resource::Client))?;
                    place(&mut client, port);
                    tx.put(client);
                }
                Ok(())
            })
            .await
    }

    fn demo_client(&self, name: &str, port: u16) -> Client {
        let id = ClientId::new(alphanumeric(&self.random::<32>()));
        let mut client = Client::new(id, name, self.new_client_secret(), self.now());
        client.app_type = Some("regular_web".to_owned());
        client.auth_method = Some(ClientAuthMethod::ClientSecretPost);
        client.grant_types = ["authorization_code", "refresh_token"].map(str::to_owned).to_vec();
        place(&mut client, port);
        client
    }

    async fn bind_demo_action(&self, tx: &mut Tx) -> Result<(), Error> {
        let now = self.now();
        let id = || ActionId::new(uuid(self.random()));
        let (action_id, version_id) = (id(), id());
        let source = ActionSource {
            code: ACTION_CODE.to_owned(),
            runtime: "node22".to_owned(),
            dependencies: Vec::new(),
            secrets: Vec::new(),
            modules: Vec::new(),
        };
        tx.insert(ActionVersion {
            id: version_id.clone(),
            action_id: action_id.clone(),
            action_name: ACTION_NAME.to_owned(),
            number: 1,
            source: source.clone(),
            modules: Vec::new(),
            compiled: None,
            packages: None,
            created_at: now,
        });
        tx.insert(Action {
            id: action_id.clone(),
            name: ACTION_NAME.to_owned(),
            trigger: TRIGGER_POST_LOGIN.to_owned(),
            trigger_version: "v3".to_owned(),
            draft: source,
            deployed_version: Some(version_id.clone()),
            versions: 1,
            all_changes_deployed: true,
            created_at: now,
            updated_at: now,
        });
        let bound = tx.get::<TriggerBindings>(&Key::of(TRIGGER_POST_LOGIN)).await?;
        let mut bound =
            bound.unwrap_or(TriggerBindings { trigger: TRIGGER_POST_LOGIN.to_owned(), bindings: Vec::new() });
        bound.bindings.push(Binding {
            id: id(),
            action_id,
            version_id,
            display_name: ACTION_NAME.to_owned(),
            created_at: now,
            updated_at: now,
        });
        tx.put(bound);
        Ok(())
    }
}

fn place(client: &mut Client, port: u16) {
    let at = |path: &str| format!("http://localhost:{port}{path}");
    client.callbacks = vec![at("/callback")];
    client.allowed_logout_urls = vec![at("/"), at("")];
    client.logout = LogoutSettings {
        urls: vec![at("/backchannel-logout")],
        initiators: Some(Initiators::All),
        include_session_metadata: Some(true),
        ..LogoutSettings::default()
    };
}
