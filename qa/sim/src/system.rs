//! Time, chance and disks of the whole process, in the hands of the simulation: the functions of the C library that everything
//! else asks, from the standard library's hash maps to the certificates' validity and the databases.
//!
//! Before [`take_over`] the clock is the system's; chance is a fixed sequence from the start.
#![allow(unsafe_code, reason = "functions of the C library can be replaced in no other way")]

use std::ffi::{c_int, c_long, c_uint, c_void};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

use crate::disk;

static SIMULATED: AtomicBool = AtomicBool::new(false);
/// Microseconds since 1970, and since the start of the machine that runs at this moment.
static WALL_US: AtomicU64 = AtomicU64::new(0);
static MONOTONIC_US: AtomicU64 = AtomicU64::new(0);
static CHANCE: AtomicU64 = AtomicU64::new(0);
/// Each look at the clock moves it by so much, in microseconds.
static CREEP_US: AtomicU64 = AtomicU64::new(0);

/// From now on time is what [`set_time`] says, and chance comes from `seed`.
pub(crate) fn take_over(seed: u64) {
    CHANCE.store(seed, Ordering::Relaxed);
    SIMULATED.store(true, Ordering::Relaxed);
}

/// Gives time back to the system.
pub(crate) fn release() {
    SIMULATED.store(false, Ordering::Relaxed);
}

/// Sets both clocks, in microseconds.
pub(crate) fn set_time(wall_us: u64, monotonic_us: u64) {
    WALL_US.store(wall_us, Ordering::Relaxed);
    MONOTONIC_US.store(monotonic_us, Ordering::Relaxed);
}

/// Time passes by looking at it: for what waits on its own.
pub(crate) fn creep(on: bool) {
    CREEP_US.store(if on { 50 } else { 0 }, Ordering::Relaxed);
}

/// The next number of the sequence (splitmix64).
fn next() -> u64 {
    let state = CHANCE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The C library's function of this name.
///
/// # Safety
/// As there: `out` points to a `timespec`, or is null.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, out: *mut libc::timespec) -> c_int {
    if !SIMULATED.load(Ordering::Relaxed) || out.is_null() {
        // SAFETY: the system call has the same contract as this function.
        return unsafe { libc::syscall(libc::SYS_clock_gettime, clock as c_long, out) } as c_int;
    }
    let creep = CREEP_US.load(Ordering::Relaxed);
    if creep > 0 {
        WALL_US.fetch_add(creep, Ordering::Relaxed);
        MONOTONIC_US.fetch_add(creep, Ordering::Relaxed);
    }
    let wall = matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI);
    let micros = if wall { WALL_US.load(Ordering::Relaxed) } else { MONOTONIC_US.load(Ordering::Relaxed) };
    let time = libc::timespec { tv_sec: (micros / 1_000_000) as libc::time_t, tv_nsec: (micros % 1_000_000 * 1000) as c_long };
    // SAFETY: the caller says that it is a place for a `timespec`.
    unsafe { out.write(time) };
    0
}

/// The C library's function of this name: some libraries ask the kernel for chance through it.
///
/// # Safety
/// As there: what the arguments mean depends on the call.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn syscall(number: c_long, a: c_long, b: c_long, c: c_long, d: c_long, e: c_long, f: c_long) -> c_long {
    static REAL: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
    if number == libc::SYS_getrandom {
        // SAFETY: this call has the same contract as the function.
        return unsafe { getrandom(a as *mut c_void, b as usize, c as c_uint) } as c_long;
    }
    let mut real = REAL.load(Ordering::Relaxed);
    if real.is_null() {
        // SAFETY: the name is a C string.
        real = unsafe { libc::dlsym(libc::RTLD_NEXT, c"syscall".as_ptr()) };
        REAL.store(real, Ordering::Relaxed);
    }
    if real.is_null() {
        return -1;
    }
    // SAFETY: the C library's function of this name has this type.
    let real: unsafe extern "C" fn(c_long, ...) -> c_long = unsafe { std::mem::transmute(real) };
    // SAFETY: the caller's arguments, unchanged.
    unsafe { real(number, a, b, c, d, e, f) }
}

/// The C library's function of this name.
///
/// # Safety
/// As there: `buffer` has room for `length` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn getrandom(buffer: *mut c_void, length: usize, _flags: c_uint) -> isize {
    let mut done = 0;
    while done < length {
        let bytes = next().to_ne_bytes();
        let count = bytes.len().min(length - done);
        // SAFETY: the caller says that the buffer has room for `length` bytes, and `done + count` is at most that.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast::<u8>().add(done), count) };
        done += count;
    }
    length as isize
}

/// The C library's function of this name.
///
/// # Safety
/// As there: `buffer` has `length` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn write(fd: c_int, buffer: *const c_void, length: usize) -> isize {
    if let Some(inode) = tracked(fd) {
        // SAFETY: no memory is involved.
        let at = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) };
        // SAFETY: the caller says that it has these bytes.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), length) };
        if let Some(fault) = disk::writes(fd, inode, u64::try_from(at).unwrap_or_default(), bytes) {
            return failed(fault) as isize;
        }
    }
    // SAFETY: the system call has the same contract as this function.
    unsafe { libc::syscall(libc::SYS_write, c_long::from(fd), buffer, length) as isize }
}

/// The C library's function of this name.
///
/// # Safety
/// As there: `buffer` has `length` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pwrite64(fd: c_int, buffer: *const c_void, length: usize, at: libc::off64_t) -> isize {
    if let Some(inode) = tracked(fd) {
        // SAFETY: the caller says that it has these bytes.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), length) };
        if let Some(fault) = disk::writes(fd, inode, u64::try_from(at).unwrap_or_default(), bytes) {
            return failed(fault) as isize;
        }
    }
    // SAFETY: the system call has the same contract as this function.
    unsafe { libc::syscall(libc::SYS_pwrite64, c_long::from(fd), buffer, length, at) as isize }
}

/// The C library's function of this name.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn ftruncate64(fd: c_int, length: libc::off64_t) -> c_int {
    if let Some(inode) = tracked(fd)
        && let Some(fault) = disk::truncates(fd, inode, u64::try_from(length).unwrap_or_default())
    {
        return failed(fault);
    }
    // SAFETY: no memory is involved.
    unsafe { libc::syscall(libc::SYS_ftruncate, c_long::from(fd), length) as c_int }
}

/// The C library's function of this name.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn fdatasync(fd: c_int) -> c_int {
    synced(fd)
}

/// The C library's function of this name.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn fsync(fd: c_int) -> c_int {
    synced(fd)
}

/// Only pretended: the simulated disk is what counts, and the real one would only take its time.
fn synced(fd: c_int) -> c_int {
    match tracked(fd).and_then(disk::syncs) {
        Some(fault) => failed(fault),
        None => 0,
    }
}

fn failed(fault: disk::Fault) -> c_int {
    // SAFETY: the place of this thread's error number, which is always there.
    unsafe { *libc::__errno_location() = fault.errno() };
    -1
}

/// The inode of a regular file, while the disks are simulated.
fn tracked(fd: c_int) -> Option<u64> {
    if !SIMULATED.load(Ordering::Relaxed) {
        return None;
    }
    let mut stat = std::mem::MaybeUninit::<libc::stat64>::uninit();
    // SAFETY: `stat` is a place for the answer.
    if unsafe { libc::fstat64(fd, stat.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call above has filled it.
    let stat = unsafe { stat.assume_init() };
    (stat.st_mode & libc::S_IFMT == libc::S_IFREG).then_some(stat.st_ino)
}
