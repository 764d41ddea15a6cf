//! `[store]`: where records are kept.

use domain::secret::Secret;

use super::section::section;

section! {
    /// Where records are kept: SQLite in the data folder, or PostgreSQL for more than one machine.
    "store" Store {
        /// The URL of a PostgreSQL database, `postgres://user:password@host/database`. Unset, records are kept
        /// by SQLite in the data folder.
        url: Option<Secret<String>> = None;
        /// The PostgreSQL schema that holds our tables. It is made if it is missing.
        schema: String = "vestibule".to_owned();
        /// Connections to PostgreSQL that are held at most.
        pool_max: usize = 16;
    }
}

impl Store {
    /// SQLite.
    pub fn for_testing() -> Self {
        Self { pool_max: 8, ..Self::default() }
    }
}
