//! Lists, a slice at a time: by offset, as dashboards page, or from a checkpoint, as exporters read on.
//!
//! Auth0: Management API v2, paging.

use store::{Key, Order, Record, read};

use crate::{Engine, Error};

/// Records that one list request looks at. Ours: bounds the work of a filter that matches little.
pub const LIST_SCAN_RECORDS_MAX: usize = 10_000;
/// Records fetched at once while a filter is at work. Ours: holds the memory of a request down.
const FETCH_RECORDS: usize = 250;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slice {
    /// So many items after so many.
    Offset {
        /// Items to pass over.
        start: usize,
        /// Items at most.
        limit: usize,
        /// Whether the whole list is to be counted.
        totals: bool,
    },
    /// So many items after a checkpoint.
    Checkpoint {
        /// What [`Listing::next`] said before; absent: from the beginning.
        from: Option<String>,
        /// Items at most.
        take: usize,
    },
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// How many were passed over.
    pub start: usize,
    /// How many were wanted at most.
    pub limit: usize,
    /// How many there are in all, where that was asked for (at most [`LIST_SCAN_RECORDS_MAX`]).
    pub total: Option<usize>,
    /// The next checkpoint, where there may be more.
    pub next: Option<String>,
}

impl<T> Listing<T> {
    /// The same part of the list with each item turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Listing<U> {
        let items = self.items.into_iter().map(turn).collect();
        Listing { items, start: self.start, limit: self.limit, total: self.total, next: self.next }
    }

    /// A slice of what is in memory as a whole. `checkpoint` names an item.
    pub fn of_all(all: Vec<T>, slice: &Slice, checkpoint: impl Fn(&T) -> String) -> Self {
        let total = all.len();
        match slice {
            Slice::Offset { start, limit, totals } => {
                let items = all.into_iter().skip(*start).take(*limit).collect();
                Self { items, start: *start, limit: *limit, total: totals.then_some(total), next: None }
            }
            Slice::Checkpoint { from, take } => {
                let found =
                    from.as_ref().and_then(|from| all.iter().position(|item| checkpoint(item) == *from));
                let begin = found.map_or(0, |at| at + 1);
                let items: Vec<T> = all.into_iter().skip(begin).take(*take).collect();
                let next = items.last().filter(|_| begin + items.len() < total).map(&checkpoint);
                Self { items, start: begin, limit: *take, total: None, next }
            }
        }
    }
}

/// Where the items of a list lie.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The index to read along, or the table's own keys.
    pub(crate) index: Option<&'static str>,
    /// What their keys, or entries, begin with.
    pub(crate) prefix: Key,
    /// Which end comes first.
    pub(crate) order: Order,
    /// Whether a shard stands before the prefix.
    pub(crate) sharded: bool,
}

impl Source {
    /// All records of a table in the order of their keys.
    pub(crate) fn table() -> Self {
        Self { index: None, prefix: Key::all(), order: Order::Ascending, sharded: false }
    }

    /// The entries of an index that begin with a prefix.
    pub(crate) fn index(index: &'static str, prefix: Key) -> Self {
        Self { index: Some(index), prefix, order: Order::Ascending, sharded: false }
    }
}

impl Engine {
    /// The wanted slice of those records that `keep` lets pass.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a checkpoint that is none.
    pub(crate) async fn list<R: Record>(
        &self,
        source: Source,
        slice: &Slice,
        keep: impl Fn(&R) -> bool + Send + Sync,
    ) -> Result<Listing<R>, Error> {
        match slice {
            Slice::Offset { start, limit, totals } => {
                self.by_offset(source, *start, *limit, *totals, keep).await
            }
            Slice::Checkpoint { from, take } => {
                self.after_checkpoint(source, from.as_deref(), *take, keep).await
            }
        }
    }

    async fn by_offset<R: Record>(
        &self,
        source: Source,
        start: usize,
        limit: usize,
        totals: bool,
        keep: impl Fn(&R) -> bool + Send + Sync,
    ) -> Result<Listing<R>, Error> {
        let (mut items, mut matched, mut scanned) = (Vec::new(), 0, 0);
        let mut cursor: Option<String> = None;
        loop {
            let (found, next) = self.fetch::<R>(&source, cursor.as_deref(), FETCH_RECORDS).await?;
            scanned += found.len();
            for item in found.into_iter().filter(&keep) {
                if matched >= start && items.len() < limit {
                    items.push(item);
                }
                matched += 1;
            }
            cursor = next;
            let filled = !totals && items.len() >= limit;
            if cursor.is_none() || filled || scanned >= LIST_SCAN_RECORDS_MAX {
                break;
            }
        }
        Ok(Listing { items, start, limit, total: totals.then_some(matched), next: None })
    }

    async fn after_checkpoint<R: Record>(
        &self,
        source: Source,
        from: Option<&str>,
        take: usize,
        keep: impl Fn(&R) -> bool + Send + Sync,
    ) -> Result<Listing<R>, Error> {
        if from.is_some_and(|from| !read::is_cursor(from)) {
            return Err(Error::query("Object didn't pass validation for format checkpoint", "from"));
        }
        let mut cursor = from.map(str::to_owned);
        let (mut items, mut scanned) = (Vec::new(), 0);
        loop {
            // Never more than is still wanted, so that the cursor stands right behind the last item given.
            let (found, next) = self.fetch::<R>(&source, cursor.as_deref(), take - items.len()).await?;
            scanned += found.len();
            items.extend(found.into_iter().filter(&keep));
            cursor = next;
            if cursor.is_none() || items.len() >= take || scanned >= LIST_SCAN_RECORDS_MAX {
                break;
            }
        }
        Ok(Listing { items, start: 0, limit: take, total: None, next: cursor })
    }

    async fn fetch<R: Record>(
        &self,
        source: &Source,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<R>, Option<String>), Error> {
        let Source { index, prefix, order, sharded } = source;
        let page = if *sharded {
            self.store().page_sharded(*index, prefix, after, limit, *order).await?
        } else {
            self.store().page(*index, prefix, after, limit, *order).await?
        };
        Ok((page.items, page.next))
    }
}

#[cfg(test)]
mod tests {
    use super::{Listing, Slice};

    fn slice(slice: &Slice) -> Listing<i32> {
        Listing::of_all((1..=5).collect(), slice, ToString::to_string)
    }

    #[test]
    fn an_offset_slice_counts_when_asked() {
        let got = slice(&Slice::Offset { start: 3, limit: 10, totals: true });
        assert_eq!((got.items, got.total), (vec![4, 5], Some(5)));
        let got = slice(&Slice::Offset { start: 9, limit: 10, totals: false });
        assert_eq!((got.items, got.total), (vec![], None));
    }

    #[test]
    fn checkpoints_lead_through_the_whole_list_once() {
        let (mut from, mut all) = (None, Vec::new());
        loop {
            let got = slice(&Slice::Checkpoint { from, take: 2 });
            all.extend(got.items);
            match got.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        assert_eq!(all, [1, 2, 3, 4, 5]);
    }
}
