//! Bytecode of the scripts that this worker ran lately, bounded in number and bytes.

use std::collections::HashMap;

use super::bytecode::Bytecode;

/// Actions kept. Ours: a tenant's trigger holds 20; a worker serves several tenants.
const ENTRIES_MAX: usize = 256;
/// Bytes kept, source and bytecode together. Ours: a fraction of a worker's memory.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// A cache for Actions and another for modules: what stands around a source differs, and so does its bytecode.
#[derive(Default)]
pub(super) struct Caches {
    pub(super) actions: Cache,
    pub(super) modules: Cache,
}

/// Keyed by name and source, since the bytecode holds both. The whole source is the key: no digest to collide.
#[derive(Default)]
pub(super) struct Cache {
    entries: HashMap<(String, String), Bytecode>,
    bytes: usize,
}

impl Cache {
    /// The bytecode of an Action, if it was kept.
    pub(super) fn get(&self, key: &(String, String)) -> Option<&Bytecode> {
        self.entries.get(key)
    }

    /// Keeps the bytecode of an Action, and answers it. A full cache is emptied first: that is rare, and costs each
    /// Action one parsing.
    pub(super) fn keep(&mut self, key: (String, String), bytecode: Bytecode) -> &Bytecode {
        let size = key.0.len() + key.1.len() + bytecode.len();
        if self.entries.len() >= ENTRIES_MAX || self.bytes + size > BYTES_MAX {
            self.entries.clear();
            self.bytes = 0;
        }
        self.bytes += size;
        self.entries.entry(key).or_insert(bytecode)
    }
}

#[cfg(test)]
mod tests {
    use rquickjs::{Context, Runtime};

    use super::{BYTES_MAX, Bytecode, Cache, ENTRIES_MAX};

    #[test]
    fn five_hundred_actions_and_large_ones_stay_within_the_bounds() {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        let mut cache = Cache::default();
        let mut keep = |number: usize, padding: usize| {
            let source = format!("({number}){}", " ".repeat(padding));
            let bytecode = context.with(|ctx| Bytecode::compile(&ctx, &source, "x", 1)).unwrap();
            let key = ("name".to_owned(), source);
            cache.keep(key.clone(), bytecode);
            let held: usize = cache
                .entries
                .iter()
                .map(|((name, source), code)| name.len() + source.len() + code.len())
                .sum();
            assert!(cache.get(&key).is_some(), "the newest is kept");
            assert_eq!(held, cache.bytes);
            assert!(
                cache.entries.len() <= ENTRIES_MAX && held <= BYTES_MAX,
                "{} entries",
                cache.entries.len()
            );
        };
        for number in 0..500 {
            keep(number, 0);
        }
        for number in 0..500 {
            keep(number, 100_000);
        }
    }
}
