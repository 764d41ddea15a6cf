//! The floor for measurements: what one fresh realm costs when nothing is done with it.

use crate::vm::Vm;

/// Makes a fresh realm with our `api` in it, and drops it. Benchmarks compare a whole run with this.
#[doc(hidden)]
pub fn fresh_realm() {
    thread_local! {
        static VM: std::cell::RefCell<Option<Vm>> = const { std::cell::RefCell::new(None) };
    }
    VM.with_borrow_mut(|slot| {
        let vm = match slot {
            Some(vm) => vm,
            None => slot.insert(Vm::new().expect("the prelude is ours and compiles")),
        };
        vm.discard();
        vm.prepare().expect("a fresh realm fits in memory");
    });
}
