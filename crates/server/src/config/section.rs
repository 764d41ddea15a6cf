//! How a section is declared: fields with docs and defaults, from which keys, setters and the manual follow.

/// What the manual and `explain-config` say about one key.
#[derive(Debug, Clone)]
pub struct KeyDoc {
    /// The key without its section.
    pub name: &'static str,
    /// The effective value; secrets as `***`.
    pub show: String,
    /// The field's doc comment, as one paragraph.
    pub doc: String,
}

/// One section, seen by name.
pub trait Section {
    /// Its name in the file.
    fn name(&self) -> &'static str;
    /// Its keys in the order of the declaration.
    fn keys(&self) -> Vec<KeyDoc>;
    /// Sets a key from text; `None` if there is no such key.
    fn set(&mut self, key: &str, text: &str) -> Option<Result<(), String>>;
}

/// Declares a section: `/// doc` `field: Type = default;` per key.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:literal $type:ident {
            $( $(#[doc = $doc:literal])* $field:ident : $kind:ty = $default:expr; )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        pub struct $type {
            $( $(#[doc = $doc])* pub $field: $kind, )*
        }

        impl Default for $type {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl crate::config::section::Section for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn keys(&self) -> Vec<crate::config::section::KeyDoc> {
                vec![ $( crate::config::section::KeyDoc {
                    name: stringify!($field),
                    show: crate::config::value::Setting::show(&self.$field),
                    doc: [$($doc),*].map(str::trim).join(" "),
                } ),* ]
            }

            fn set(&mut self, key: &str, text: &str) -> Option<Result<(), String>> {
                match key {
                    $( stringify!($field) => Some(
                        crate::config::value::Setting::read(text).map(|value| self.$field = value)
                    ), )*
                    _ => None,
                }
            }
        }
    };
}

pub(super) use section;
