//! The kinds of value a key can hold: how each is read from text and shown.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use domain::egress::{AllowedHost, Network};
use domain::secret::Secret;
use url::Url;

/// A value that is read from text (file, environment and flags alike) and shown in `explain-config`.
pub trait Setting: Sized {
    /// Reads it; the error says what was expected.
    fn read(text: &str) -> Result<Self, String>;
    /// Shows it; secrets show as `***`.
    fn show(&self) -> String;
}

/// The text of a TOML value; a list becomes its items with commas between.
pub fn text_of(value: &toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        toml::Value::Array(items) => Ok(items.iter().map(text_of).collect::<Result<Vec<_>, _>>()?.join(",")),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => {
            Err("expected a string, an integer, a boolean or a list of these".to_owned())
        }
    }
}

impl Setting for bool {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("expected true or false".to_owned()),
        }
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => { $(
        impl Setting for $kind {
            fn read(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("expected a whole number from 0 to {}", <$kind>::MAX))
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )* };
}
numbers!(u32, usize);

impl Setting for String {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
    }
    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for PathBuf {
    fn read(text: &str) -> Result<Self, String> {
        String::read(text).map(Into::into)
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for SocketAddr {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "expected an address and a port, such as 127.0.0.1:8443".to_owned())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Url {
    fn read(text: &str) -> Result<Self, String> {
        let url = Self::parse(text).map_err(|error| error.to_string())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
            return Err("expected a URL such as https://id.example.com/ without a path".to_owned());
        }
        Ok(url)
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Secret<String> {
    fn read(text: &str) -> Result<Self, String> {
        String::read(text).map(Self::new)
    }
    fn show(&self) -> String {
        "***".to_owned()
    }
}

impl<T: Setting> Setting for Option<T> {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::read(text).map(Some) }
    }
    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(T::read).collect()
    }
    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(",")
    }
}

/// A proxy, or a network of them, whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy(Network);

impl TrustedProxy {
    /// Whether the address belongs to it. An IPv4 address written as IPv6 is compared as IPv4.
    pub fn covers(&self, address: IpAddr) -> bool {
        self.0.covers(address)
    }
}

impl Setting for TrustedProxy {
    fn read(text: &str) -> Result<Self, String> {
        let network = Network::parse(text).map(Self);
        network.ok_or_else(|| "expected an address or a network such as 10.0.0.0/8".to_owned())
    }
    fn show(&self) -> String {
        self.0.to_string()
    }
}

impl Setting for AllowedHost {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text)
            .ok_or_else(|| "expected a host name, an address or a network such as 10.0.0.0/8".to_owned())
    }
    fn show(&self) -> String {
        self.to_string()
    }
}
