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
        /// Whether the time is PostgreSQL's, so that several servers agree on it whatever their machines' clocks show.
        database_clock: bool = true;
    }
}

impl Store {
    /// SQLite, and the clock that the test moves.
    pub fn for_testing() -> Self {
        Self { pool_max: 8, database_clock: false, ..Self::default() }
    }
}
