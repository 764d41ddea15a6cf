//! `[log]`: diagnostics on standard error.

use super::section::section;
use super::value::Setting;

section! {
    /// Diagnostics for the operator, on standard error.
    "log" Log {
        /// How lines look: `text` for people, `json` for machines.
        format: Format = Format::Text;
        /// The least important level that is written: `error`, `warn`, `info`, `debug` or `trace`.
        level: Level = Level::Info;
    }
}

impl Log {
    /// Only what went wrong.
    pub fn for_testing() -> Self {
        Self { level: Level::Warn, ..Self::default() }
    }
}

macro_rules! choices {
    ($(#[doc = $about:literal])* $type:ident { $( $(#[doc = $doc:literal])* $variant:ident $text:literal, )* }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type {
            $( $(#[doc = $doc])* $variant, )*
        }

        impl $type {
            /// Its name in the configuration.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $text, )* }
            }
        }

        impl Setting for $type {
            fn read(text: &str) -> Result<Self, String> {
                match text {
                    $( $text => Ok(Self::$variant), )*
                    _ => Err(concat!("expected one of:" $(, " ", $text)*).to_owned()),
                }
            }
            fn show(&self) -> String {
                self.name().to_owned()
            }
        }
    };
}

choices! {
    /// How lines look.
    Format {
        /// For people.
        Text "text",
        /// For machines.
        Json "json",
    }
}

choices! {
    /// How important a line is.
    Level {
        /// Something is broken.
        Error "error",
        /// Something is odd.
        Warn "warn",
        /// What an operator wants to know.
        Info "info",
        /// What a developer wants to know.
        Debug "debug",
        /// Everything.
        Trace "trace",
    }
}
