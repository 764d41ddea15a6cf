//! What can go wrong in the store, as one closed enum.

/// A failure of the store. Absence is not one: look-ups answer `None`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Someone else changed what this unit of work had read. `Store::transact` has already run it again as often
    /// as it may, so the caller should answer "try again later".
    #[error("the records changed under this unit of work")]
    Conflict,
    /// It cannot be told whether the commit took place. Read again before doing anything twice.
    #[error("it is unknown whether the commit took place")]
    Unknown,
    /// The backend did not answer in time, is full, or refused. Nothing was committed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Stored bytes do not decode, or a write broke a limit of the store: a fault in a program, not in a request.
    #[error("the store holds or was given what it cannot accept: {0}")]
    Corrupt(String),
    /// An insert found its key, or one of its unique index entries, taken. Running it again would not help.
    #[error("a record with this {index} exists already")]
    AlreadyExists {
        /// The unique index whose entry is taken, or `"key"` for the record's own key.
        index: &'static str,
    },
}

/// The store's results.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
