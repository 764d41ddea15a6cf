//! How many Actions and modules a tenant may have.

use domain::action::ActionLibrary;
use store::tables::library_key;
use store::{Key, Order, Record, Tx};

use crate::Error;

/// Lets one more record of a kind in, unless `max` are there. Newcomers change the library's record, so that of two
/// that saw the same last place one runs again and finds it taken.
pub(super) async fn admit<R: Record>(tx: &mut Tx, max: usize, kind: &str) -> Result<(), Error> {
    let library = tx.get::<ActionLibrary>(&library_key()).await?.unwrap_or_default();
    let there = tx.page::<R>(None, &Key::all(), None, max, Order::Ascending).await?;
    if there.items.len() >= max {
        let message = format!("This tenant has {max} {kind}, which is the limit. Delete one first.");
        return Err(Error::Refused { message, code: Some("too_many_entities") });
    }
    tx.put(ActionLibrary { newcomers: library.newcomers + 1 });
    Ok(())
}
