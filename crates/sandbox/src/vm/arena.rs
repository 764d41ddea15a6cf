//! The engine's whole memory in one region that can be put back to what it was: how each run gets a realm that no
//! script has touched, for the price of a copy.
//!
//! Everything that the engine keeps (its runtime, contexts, values, bytecode) is allocated here and nowhere else. A copy
//! of the used part, with the allocator's own few numbers, is therefore a copy of all of it: see [`Image`].
//!
//! The allocator is as plain as a region that is reset after each run allows: blocks of fixed size classes, a list of
//! free ones for each class, new ones from the end. Blocks are never joined; what a run leaves scattered is gone with it.

use std::cell::RefCell;
use std::ptr::{NonNull, null_mut};
use std::rc::Rc;

use domain::limits::ACTION_MEMORY_BYTES_MAX;
use rquickjs::allocator::Allocator;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// Bytes of address space. Ours: four times what a run may use, because it may overshoot, and a buffer that grows leaves
/// its smaller ones behind. Memory is taken when it is first written.
const REGION_BYTES: usize = 4 * ACTION_MEMORY_BYTES_MAX as usize;
/// Bytes of a page, which is what the kernel takes back.
const PAGE_BYTES: usize = 4096;
/// Bytes before each block, which hold its class. They keep blocks aligned as `malloc` does.
const HEAD_BYTES: usize = 16;
/// What block sizes, heads included, are multiples of.
const STEP_BYTES: usize = 16;
/// The longest block of the classes that are one step apart; above it there are four classes to each doubling.
const FINE_BYTES_MAX: usize = 512;
const FINE_CLASSES: usize = FINE_BYTES_MAX / STEP_BYTES;
const CLASSES: usize = class_of(REGION_BYTES) + 1;
/// Bytes beyond the image that are cleared by hand after a run; more go back to the kernel.
const CLEARED_BYTES_MAX: usize = 256 * 1024;

const _: () = assert!(REGION_BYTES < u32::MAX as usize, "a position in the region fits 32 bits");

/// The smallest class whose blocks hold so many bytes.
const fn class_of(bytes: usize) -> usize {
    if bytes <= FINE_BYTES_MAX {
        return bytes.div_ceil(STEP_BYTES).saturating_sub(1);
    }
    let log = (bytes - 1).ilog2();
    let quarter = ((bytes - 1) >> (log - 2)) & 3;
    FINE_CLASSES + (log - FINE_BYTES_MAX.ilog2()) as usize * 4 + quarter
}

/// Bytes of a class's blocks.
const fn bytes_of(class: usize) -> usize {
    if class < FINE_CLASSES {
        return (class + 1) * STEP_BYTES;
    }
    let coarse = class - FINE_CLASSES;
    let log = FINE_BYTES_MAX.ilog2() as usize + coarse / 4;
    (1 << log) + ((coarse % 4 + 1) << (log - 2))
}

/// Where the next block comes from: all that the allocator knows, and what an image keeps beside the bytes.
#[derive(Clone)]
struct Cursors {
    /// Everything below has been handed out at least once.
    top: usize,
    /// Bytes of the blocks that are in use.
    used: usize,
    /// For each class, the position of its first free block; 0 where there is none.
    free: [u32; CLASSES],
}

/// The region.
struct Region {
    base: NonNull<u8>,
    cursors: Cursors,
}

/// The used part of a region as it was at one moment.
pub(super) struct Image {
    bytes: Vec<u8>,
    cursors: Cursors,
}

/// The region, as its allocator and its owner both hold it. One thread.
#[derive(Clone)]
pub(super) struct Arena(Rc<RefCell<Region>>);

impl Arena {
    /// Reserves the region. `None` when the process may not have so much address space.
    pub(super) fn new() -> Option<Self> {
        #[expect(
            unsafe_code,
            reason = "memory that the kernel gives when it is written, and that it may refuse"
        )]
        // SAFETY: a new mapping, where the kernel likes.
        let base = unsafe {
            let access = ProtFlags::READ | ProtFlags::WRITE;
            mmap_anonymous(null_mut(), REGION_BYTES, access, MapFlags::PRIVATE | MapFlags::NORESERVE)
        };
        let base = NonNull::new(base.ok()?.cast())?;
        // Position 0 means "none", so the first block begins after it.
        let cursors = Cursors { top: STEP_BYTES, used: 0, free: [0; CLASSES] };
        Some(Self(Rc::new(RefCell::new(Region { base, cursors }))))
    }

    /// Bytes in use.
    pub(super) fn used(&self) -> usize {
        self.0.borrow().cursors.used
    }

    /// Copies what is in it.
    pub(super) fn image(&self) -> Image {
        let region = self.0.borrow();
        #[expect(unsafe_code, reason = "the engine's memory, which has no type here")]
        // SAFETY: the region is longer than `top`, initialised (it came zeroed), and not written during the call.
        let bytes = unsafe { std::slice::from_raw_parts(region.base.as_ptr(), region.cursors.top) };
        Image { bytes: bytes.to_vec(), cursors: region.cursors.clone() }
    }

    /// Puts it back to what it was, and clears what came after.
    #[expect(unsafe_code, reason = "it takes back memory that values still point to")]
    /// # Safety
    /// No code of the engine may be running, and every handle to one of its values must be older than the image and own
    /// as many references as it did then.
    pub(super) unsafe fn restore(&self, image: &Image) {
        let mut region = self.0.borrow_mut();
        let (base, kept) = (region.base.as_ptr(), image.bytes.len());
        let cleared = region.cursors.top.min(kept + CLEARED_BYTES_MAX).next_multiple_of(PAGE_BYTES);
        let used = region.cursors.top.next_multiple_of(PAGE_BYTES);
        // SAFETY: the region is whole pages and longer than `used`; nobody else reads or writes it during the call, and
        // by this function's own condition nobody afterwards expects to find there what was written since the image.
        unsafe {
            base.copy_from_nonoverlapping(image.bytes.as_ptr(), kept);
            base.add(kept).write_bytes(0, cleared - kept);
            if used > cleared
                && madvise(base.add(cleared).cast(), used - cleared, Advice::LinuxDontNeed).is_err()
            {
                base.add(cleared).write_bytes(0, used - cleared);
            }
        }
        region.cursors = image.cursors.clone();
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the counterpart of its making")]
        // SAFETY: mapped with this length, and the engine that used it is gone: it holds an `Rc` of the region.
        let unmapped = unsafe { munmap(self.base.as_ptr().cast(), REGION_BYTES) };
        debug_assert!(unmapped.is_ok(), "a whole mapping");
    }
}

#[expect(unsafe_code, reason = "an allocator works on memory without a type")]
impl Region {
    /// SAFETY of the three below: `position` is that of a block's head, which this allocator made.
    unsafe fn head(&self, position: usize) -> *mut usize {
        unsafe { self.base.as_ptr().add(position).cast() }
    }

    unsafe fn class_at(&self, position: usize) -> usize {
        unsafe { *self.head(position) }
    }

    /// Where a free block keeps the position of the next one.
    unsafe fn next_at(&self, position: usize) -> *mut u32 {
        unsafe { self.base.as_ptr().add(position + HEAD_BYTES).cast() }
    }

    fn position_of(&self, block: *mut u8) -> usize {
        block as usize - self.base.as_ptr() as usize - HEAD_BYTES
    }

    fn take(&mut self, size: usize) -> *mut u8 {
        if size > REGION_BYTES - HEAD_BYTES {
            return null_mut();
        }
        // A free block needs room for a link.
        let class = class_of(HEAD_BYTES + size.max(1));
        let free = self.cursors.free[class] as usize;
        // SAFETY: a position in the list is that of a block of this class, and `top` is inside the region.
        unsafe {
            let position = if free != 0 {
                self.cursors.free[class] = *self.next_at(free);
                free
            } else {
                let position = self.cursors.top;
                if bytes_of(class) > REGION_BYTES - position {
                    return null_mut();
                }
                self.cursors.top += bytes_of(class);
                *self.head(position) = class;
                position
            };
            self.cursors.used += bytes_of(class);
            self.base.as_ptr().add(position + HEAD_BYTES)
        }
    }

    /// SAFETY: the block came from [`Region::take`] and was not given back.
    unsafe fn give_back(&mut self, block: *mut u8) {
        let position = self.position_of(block);
        unsafe {
            let class = self.class_at(position);
            *self.next_at(position) = self.cursors.free[class];
            self.cursors.free[class] = position as u32;
            self.cursors.used -= bytes_of(class);
        }
    }

    /// SAFETY: as for [`Region::give_back`].
    unsafe fn resize(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        if size > REGION_BYTES - HEAD_BYTES {
            return null_mut();
        }
        let position = self.position_of(block);
        unsafe {
            let old = bytes_of(self.class_at(position));
            let class = class_of(HEAD_BYTES + size.max(1));
            let new = bytes_of(class);
            if new <= old {
                return block;
            }
            if position + old == self.cursors.top && new <= REGION_BYTES - position {
                *self.head(position) = class;
                self.cursors.top = position + new;
                self.cursors.used += new - old;
                return block;
            }
            let moved = self.take(size);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, old - HEAD_BYTES);
                self.give_back(block);
            }
            moved
        }
    }
}

#[expect(unsafe_code, reason = "the engine's way to its memory")]
// SAFETY: blocks are inside the region, apart from each other, aligned to 16 bytes, and as long as their class says,
// which is at least what was asked for; or null.
unsafe impl Allocator for Arena {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        self.0.borrow_mut().take(size)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let Some(bytes) = count.checked_mul(size) else { return null_mut() };
        let block = self.0.borrow_mut().take(bytes);
        if !block.is_null() {
            // SAFETY: a block of at least so many bytes.
            unsafe { block.write_bytes(0, bytes) };
        }
        block
    }

    unsafe fn dealloc(&mut self, ptr: *mut u8) {
        unsafe { self.0.borrow_mut().give_back(ptr) }
    }

    unsafe fn realloc(&mut self, ptr: *mut u8, new_size: usize) -> *mut u8 {
        let mut region = self.0.borrow_mut();
        if ptr.is_null() { region.take(new_size) } else { unsafe { region.resize(ptr, new_size) } }
    }

    unsafe fn usable_size(ptr: *mut u8) -> usize {
        // SAFETY: the head before the block holds its class.
        bytes_of(unsafe { *ptr.sub(HEAD_BYTES).cast::<usize>() }) - HEAD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rquickjs::allocator::Allocator;

    use super::{Arena, CLASSES, FINE_BYTES_MAX, HEAD_BYTES, REGION_BYTES, bytes_of, class_of};

    #[test]
    fn classes_grow_and_waste_a_quarter_at_most() {
        for class in 1..CLASSES {
            assert!(bytes_of(class) > bytes_of(class - 1));
            assert_eq!(bytes_of(class) % 16, 0);
            assert_eq!(class_of(bytes_of(class)), class);
            assert_eq!(class_of(bytes_of(class - 1) + 1), class);
            if bytes_of(class - 1) >= FINE_BYTES_MAX {
                assert!(bytes_of(class) <= bytes_of(class - 1) / 4 * 5);
            }
        }
        assert!(bytes_of(CLASSES - 1) >= REGION_BYTES);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut arena = Arena::new().unwrap();
        assert!(arena.alloc(REGION_BYTES).is_null());
        assert!(arena.alloc(usize::MAX).is_null());
        assert!(arena.calloc(usize::MAX, 2).is_null());
        let block = arena.alloc(8);
        #[expect(unsafe_code, reason = "an allocator's interface")]
        // SAFETY: the block is of this arena.
        let grown = unsafe { arena.realloc(block, REGION_BYTES) };
        assert!(grown.is_null());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Blocks keep what was written to them, whatever is taken, grown and given back around them; and after a
        /// restoration the region is, byte for byte, what it was.
        #[test]
        fn blocks_keep_what_they_hold(steps in proptest::collection::vec((0_u8..4, 0_usize..3000), 60..120)) {
            let mut arena = Arena::new().unwrap();
            let mut blocks: Vec<(*mut u8, usize, u8)> = Vec::new();
            let mut image = None;
            for (number, (what, size)) in steps.into_iter().enumerate() {
                let mark = number as u8;
                #[expect(unsafe_code, reason = "an allocator's interface")]
                // SAFETY: only blocks of this arena, within the size that was asked for, and none after it went back.
                unsafe {
                    match what {
                        0 | 1 => {
                            let block = arena.alloc(size);
                            prop_assert!(Arena::usable_size(block) >= size);
                            block.write_bytes(mark, size);
                            blocks.push((block, size, mark));
                        }
                        2 if !blocks.is_empty() => {
                            let (block, ..) = blocks.swap_remove(size % blocks.len());
                            arena.dealloc(block);
                        }
                        3 if !blocks.is_empty() => {
                            let at = size % blocks.len();
                            let (block, before, mark) = blocks[at];
                            let block = arena.realloc(block, size);
                            if size > before {
                                block.add(before).write_bytes(mark, size - before);
                            }
                            blocks[at] = (block, size, mark);
                        }
                        _ => {}
                    }
                    for &(block, size, mark) in &blocks {
                        let held = std::slice::from_raw_parts(block, size);
                        prop_assert!(held.iter().all(|byte| *byte == mark));
                    }
                    let used = blocks.iter().map(|(block, ..)| Arena::usable_size(*block) + HEAD_BYTES).sum::<usize>();
                    prop_assert_eq!(arena.used(), used);
                }
                image = image.or_else(|| (number == 50).then(|| arena.image()));
            }
            if let Some(image) = image {
                #[expect(unsafe_code, reason = "no engine is in this arena")]
                // SAFETY: the blocks are not looked at again.
                unsafe { arena.restore(&image) };
                let again = arena.image();
                prop_assert!(again.bytes == image.bytes);
                prop_assert_eq!(&again.cursors.free[..], &image.cursors.free[..]);
            }
        }
    }
}
