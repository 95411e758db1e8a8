//! Counts what one thread takes from the heap, C libraries included.
//!
//! A Rust global allocator sees what Rust allocates; OpenSSL and aws-lc call `malloc`
//! themselves. With glibc, a program may define `malloc` and its kin (glibc manual,
//! "Replacing malloc"): these count and hand on to glibc's own under its `__libc_` names.
//! Elsewhere nothing is counted, and the run says so.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// What was taken since [`start`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HeapUse {
    /// Calls of malloc, calloc, realloc and the aligned ones.
    pub(crate) allocations: u64,
    /// Usable bytes taken and not given back; negative if older ones were given back.
    pub(crate) live: i64,
    /// The greatest value of `live` since the last [`reset_peak`].
    pub(crate) peak: i64,
}

/// Whether this build counts at all.
pub(crate) const COUNTS: bool = cfg!(all(target_os = "linux", target_env = "gnu"));

static ACTIVE: AtomicBool = AtomicBool::new(false);
static OWNER: AtomicU64 = AtomicU64::new(0);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// Counts this thread from now on.
pub(crate) fn start() {
    ALLOCATIONS.store(0, Relaxed);
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    OWNER.store(interposed::this_thread(), Relaxed);
    ACTIVE.store(COUNTS, Relaxed);
}

/// Counts no more.
pub(crate) fn stop() {
    ACTIVE.store(false, Relaxed);
}

/// What was counted so far.
pub(crate) fn used() -> HeapUse {
    HeapUse {
        allocations: ALLOCATIONS.load(Relaxed),
        live: LIVE.load(Relaxed),
        peak: PEAK.load(Relaxed),
    }
}

/// Begins a new peak at what is live now.
pub(crate) fn reset_peak() {
    PEAK.store(LIVE.load(Relaxed), Relaxed);
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod interposed {
    use std::ffi::{c_int, c_void};

    use super::{ACTIVE, ALLOCATIONS, LIVE, OWNER, PEAK, Relaxed};

    unsafe extern "C" {
        fn __libc_malloc(size: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        fn __libc_realloc(pointer: *mut c_void, size: usize) -> *mut c_void;
        fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
        fn __libc_free(pointer: *mut c_void);
    }

    pub(super) fn this_thread() -> u64 {
        // SAFETY: takes nothing and can't fail; reads a register.
        unsafe { libc::pthread_self() as u64 }
    }

    fn is_counted() -> bool {
        ACTIVE.load(Relaxed) && OWNER.load(Relaxed) == this_thread()
    }

    fn size_of(pointer: *mut c_void) -> i64 {
        // SAFETY: null, or a block of glibc's allocator that is still allocated.
        unsafe { libc::malloc_usable_size(pointer) as i64 }
    }

    fn taken(pointer: *mut c_void) -> *mut c_void {
        if is_counted() && !pointer.is_null() {
            ALLOCATIONS.fetch_add(1, Relaxed);
            let live = LIVE.fetch_add(size_of(pointer), Relaxed) + size_of(pointer);
            PEAK.fetch_max(live, Relaxed);
        }
        pointer
    }

    fn given_back(pointer: *mut c_void) {
        if is_counted() && !pointer.is_null() {
            LIVE.fetch_sub(size_of(pointer), Relaxed);
        }
    }

    // SAFETY of all that follow: the names and contracts are those of the C library,
    // whose own functions do the work; counting allocates nothing and takes no lock.

    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
        taken(unsafe { __libc_malloc(size) })
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
        taken(unsafe { __libc_calloc(count, size) })
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void {
        let before = if is_counted() { size_of(pointer) } else { 0 };
        let grown = unsafe { __libc_realloc(pointer, size) };
        if !grown.is_null() || size == 0 {
            LIVE.fetch_sub(before, Relaxed);
        }
        taken(grown)
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(pointer: *mut c_void) {
        given_back(pointer);
        unsafe { __libc_free(pointer) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
        taken(unsafe { __libc_memalign(alignment, size) })
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
        taken(unsafe { __libc_memalign(alignment, size) })
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(
        place: *mut *mut c_void,
        alignment: usize,
        size: usize,
    ) -> c_int {
        if !alignment.is_power_of_two() || !alignment.is_multiple_of(size_of_pointer()) {
            return libc::EINVAL;
        }
        let pointer = taken(unsafe { __libc_memalign(alignment, size) });
        if pointer.is_null() {
            return libc::ENOMEM;
        }
        unsafe { place.write(pointer) };
        0
    }

    const fn size_of_pointer() -> usize {
        std::mem::size_of::<*mut c_void>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_rust_and_c_alike() {
        if !COUNTS {
            println!("skipped: heap counting needs glibc");
            return;
        }
        start();
        let kept = vec![0_u8; 100_000];
        drop(vec![0_u8; 50_000]);
        let after_rust = used();
        let number = openssl::bn::BigNum::from_u32(7);
        let after_c = used();
        stop();
        assert!(
            (100_000..110_000).contains(&after_rust.live),
            "{after_rust:?}"
        );
        assert!(
            after_rust.peak >= 150_000 && after_rust.allocations == 2,
            "{after_rust:?}"
        );
        assert!(
            after_c.allocations > after_rust.allocations,
            "OpenSSL's malloc is not seen"
        );
        drop((kept, number));
    }
}
