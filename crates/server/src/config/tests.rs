//! What an operator meets: precedence, suggestions, explanations.

use std::path::PathBuf;

use super::value::Setting;
use super::{Config, ConfigError, Source, TrustedProxy, pair};

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("vestibule-config-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn load(file: &str, environment: &[(&str, &str)], flags: &[&str], name: &str) -> Result<Config, ConfigError> {
    let folder = folder(name);
    let path = folder.join("vestibule.toml");
    std::fs::write(&path, file).unwrap();
    let flags: Vec<_> = flags.iter().map(|text| pair(text).unwrap()).collect();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let outcome = Config::load(Some(&path), environment, &flags);
    std::fs::remove_dir_all(&folder).unwrap();
    outcome
}

#[test]
fn later_sources_win_and_explain_says_which_one_did() {
    let config = load(
        "[server]\ndomain = \"file.example\"\nconnections_max = 7\n[log]\nlevel = \"debug\"\n[sandbox]\nworkers = 3",
        &[("VESTIBULE_SERVER_DOMAIN", "environment.example"), ("VESTIBULE_LOG_LEVEL", "warn"), ("HOME", "/")],
        &["server.domain=flag.example"],
        "precedence",
    )
    .unwrap();
    assert_eq!(config.server.domain.as_deref(), Some("flag.example"));
    assert_eq!(config.server.connections_max, 7);
    let explained = config.explain();
    let find = |key: &str| explained.iter().find(|line| line.key == key).unwrap();
    assert_eq!(find("server.domain").source, Source::Flag("--set server.domain".into()));
    assert_eq!(find("log.level").source, Source::Environment("VESTIBULE_LOG_LEVEL".into()));
    assert!(matches!(find("sandbox.workers").source, Source::File(_)));
    assert_eq!(find("sandbox.queue_max").source, Source::Default);
    assert_eq!((find("log.level").value.as_str(), find("sandbox.workers").value.as_str()), ("warn", "3"));
    assert!(explained.iter().all(|line| !line.doc.is_empty()), "every key is documented");
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest_one() {
    for (file, environment, flags, expected) in [
        ("[server]\nlisten_on = \"x\"", vec![], vec![], "unknown key `server.listen_on`"),
        ("[server]\ndomian = \"x\"", vec![], vec![], "did you mean `server.domain`?"),
        ("domain = \"x\"", vec![], vec![], "did you mean `server.domain`?"),
        ("[sever]\nlisten = \"x\"", vec![], vec![], "did you mean `server.listen`?"),
        ("", vec![], vec!["log.levle=info"], "did you mean `log.level`?"),
        ("", vec![("VESTIBULE_STORE_POOL", "1")], vec![], "did you mean `VESTIBULE_STORE_POOL_MAX`?"),
    ] {
        let message = load(file, &environment, &flags, "unknown").unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_bad_value_names_its_key_and_what_was_expected() {
    for (file, expected) in [
        ("[server]\nlisten = \"8443\"", "`server.listen`"),
        ("[tls]\nenabled = \"yes\"", "expected true or false"),
        ("[sandbox]\nworkers = -1", "expected a whole number"),
        ("[log]\nformat = \"xml\"", "expected one of: text json"),
        ("[server]\npublic_url = \"https://id.example.com/path\"", "without a path"),
        ("[server]\ntrusted_proxies = [\"10.0.0.0/33\"]", "expected an address or a network"),
        ("[server]\nlisten = { port = 1 }", "expected a string"),
        ("[tls]\nkey_file = \"k.pem\"", "belong together"),
        ("[server", "not valid TOML"),
    ] {
        let message = load(file, &[], &[], "bad").unwrap_err().to_string();
        assert!(message.contains(expected), "{file}: {message}");
    }
}

#[test]
fn the_store_url_is_not_shown() {
    let config = load("[store]\nurl = \"postgres://u:hunter2@h/d\"", &[], &[], "secret").unwrap();
    let shown = config.explain().into_iter().find(|line| line.key == "store.url").unwrap();
    assert_eq!(shown.value, "***");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_master_key_is_not_mistaken_for_a_setting() {
    assert!(load("", &[("VESTIBULE_MASTER_KEY", "00")], &[], "master").is_ok());
}

#[test]
fn a_network_covers_its_addresses_only() {
    for (network, address, covered) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false),
        ("0.0.0.0/0", "8.8.8.8", true),
        ("::1", "::1", true),
        ("fd00::/8", "fd12::9", true),
        ("fd00::/8", "fe80::1", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("0.0.0.0/0", "::1", false),
    ] {
        let network = TrustedProxy::read(network).unwrap();
        assert_eq!(network.covers(address.parse().unwrap()), covered, "{network:?} {address}");
    }
}
