//! Memory of the program: the C library's `malloc`, but for large blocks.
//!
//! What a decompressor looks back at is 8 MiB for each zstd layer: 2,048 page faults, and more pages than the processor
//! has TLB entries for. On huge pages it is five faults. A kernel that gives them to who asks (`madvise` in
//! `/sys/kernel/mm/transparent_hugepage/enabled`, the default of most distributions) is asked here, because nothing short
//! of the allocator knows where a library's memory is.
#![expect(unsafe_code, reason = "an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// A huge page, and the smallest block that gets some: 2 MiB on x86-64, and on aarch64 and riscv64 with pages of 4 KiB.
const HUGE: usize = 2 << 20;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

#[derive(Debug)]
struct Allocator;

// SAFETY: a block is System's, or a mapping of its own that starts at a multiple of HUGE and is given back as it was made.
// Size and alignment of the layout, which are the same in `alloc` and `dealloc` by the trait's contract, tell which.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_small(layout) {
            // SAFETY: the caller keeps the contract of the same function.
            return unsafe { System.alloc(layout) };
        }
        map(layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_small(layout) {
            // SAFETY: the caller keeps the contract of the same function.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // New pages are zero.
        map(layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_small(layout) {
            // SAFETY: System's by its layout; the caller keeps the contract of the same function.
            return unsafe { System.dealloc(block, layout) };
        }
        unmap(block, layout.size());
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if is_small(layout) && (new_size < HUGE || layout.align() > HUGE) {
            // SAFETY: System's before and after; the caller keeps the contract of the same function.
            return unsafe { System.realloc(block, layout, new_size) };
        }
        if !is_small(layout) && new_size >= HUGE && rounded(layout.size()) == rounded(new_size) {
            return block;
        }
        // SAFETY: `new_size` is not zero and no overflow with this alignment, says the trait's contract.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: a valid layout of some size.
        let new = unsafe { self.alloc(new_layout) };
        if !new.is_null() {
            // SAFETY: two blocks, each of at least so many bytes, and one of them is new.
            unsafe { std::ptr::copy_nonoverlapping(block, new, layout.size().min(new_size)) };
            // SAFETY: the caller gives the old block up.
            unsafe { self.dealloc(block, layout) };
        }
        new
    }
}

/// A block for System. One that must start at more than a huge page is unheard of, but possible.
fn is_small(layout: Layout) -> bool {
    layout.size() < HUGE || layout.align() > HUGE
}

/// New zero pages for `size` bytes from a multiple of HUGE on; null if there is no memory.
fn map(size: usize) -> *mut u8 {
    // As much more as the start may have to move by.
    let Some(length) = rounded(size).and_then(|length| length.checked_add(HUGE)) else { return std::ptr::null_mut() };
    // SAFETY: a new mapping where the kernel wants it.
    let mapped =
        unsafe { mmap_anonymous(std::ptr::null_mut(), length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE) };
    let Ok(mapped) = mapped else { return std::ptr::null_mut() };
    let mapped = mapped.cast::<u8>();
    let before = mapped.align_offset(HUGE);
    let block = mapped.wrapping_add(before);
    let kept = length - HUGE;
    discard(mapped, before);
    discard(block.wrapping_add(kept), HUGE - before);
    // A kernel without huge pages says EINVAL; the block is as good.
    // SAFETY: advice on pages of ours, which changes no content.
    let _: rustix::io::Result<()> = unsafe { madvise(block.cast::<c_void>(), kept, Advice::LinuxHugepage) };
    block
}

/// Gives back what [`map`] has made for `size` bytes.
fn unmap(block: *mut u8, size: usize) {
    if let Some(length) = rounded(size) {
        discard(block, length);
    }
}

/// Unmaps pages of ours that nobody has a pointer to.
fn discard(start: *mut u8, length: usize) {
    if length > 0 {
        // SAFETY: whole pages of a mapping that was made here, and that the caller gives up.
        let _: rustix::io::Result<()> = unsafe { munmap(start.cast::<c_void>(), length) };
    }
}

/// Whole huge pages; none if there is no such number.
fn rounded(size: usize) -> Option<usize> {
    size.checked_next_multiple_of(HUGE)
}

#[cfg(test)]
mod tests {
    use super::HUGE;

    #[test]
    fn large_blocks_start_at_a_huge_page_and_keep_their_bytes_as_they_grow_and_shrink() {
        let mut bytes: Vec<u8> = Vec::with_capacity(16);
        let expected = |at: usize| u8::try_from(at % 251).expect("small");
        let mut length = 0;
        for next in [1000, HUGE - 1, HUGE, HUGE + 1, 3 * HUGE + 17] {
            bytes.reserve_exact(next - bytes.len());
            bytes.extend((length..next).map(expected));
            length = next;
            assert!(bytes.capacity() < HUGE || bytes.as_ptr().align_offset(HUGE) == 0, "{next}");
            assert!(bytes.iter().enumerate().all(|(at, byte)| *byte == expected(at)), "{next}");
        }
        for next in [HUGE, HUGE - 1, 10] {
            bytes.truncate(next);
            bytes.shrink_to_fit();
            assert!(bytes.iter().enumerate().all(|(at, byte)| *byte == expected(at)), "{next}");
        }
    }

    #[test]
    fn a_zeroed_block_is_zero_though_its_address_was_used_before() {
        for _ in 0..4 {
            let mut bytes = vec![0_u8; 2 * HUGE];
            assert!(bytes.iter().all(|byte| *byte == 0));
            bytes.fill(1);
        }
    }

    #[test]
    fn what_nobody_has_is_refused() {
        let mut bytes: Vec<u8> = Vec::new();
        assert!(bytes.try_reserve_exact(isize::MAX.unsigned_abs() - HUGE).is_err());
    }
}
