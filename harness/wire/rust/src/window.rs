//! The window: memory through which programs get their inputs and show what comes out. It lies in a
//! memory file, so that the harness can map the same memory, and may be sealed, so that it does.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

pub struct Window {
    at: *mut u8,
    len: usize,
    file: File,
}

impl Window {
    pub fn open(len: usize) -> io::Result<Self> {
        let file = memory_file(len)?;
        // SAFETY: a new mapping, at an address of the kernel's choice.
        let at = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        match at {
            libc::MAP_FAILED => Err(io::Error::last_os_error()),
            at => Ok(Window { at: at.cast(), len, file }),
        }
    }

    pub fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    pub fn address(&self) -> u64 {
        self.at as u64
    }

    /// All of it, as a runtime may want the memory that programs work on. The reference is good for handing
    /// over address and length only: programs and the harness write there meanwhile.
    #[allow(clippy::mut_from_ref)]
    pub fn as_memory(&self) -> &mut [u8] {
        // SAFETY: mapped as long as `self` is; any bytes are a valid u8.
        unsafe { std::slice::from_raw_parts_mut(self.at, self.len) }
    }

    /// How many items have been begun, where the harness finds it even after this process's death.
    pub fn tell_begun(&self, items: u64) {
        // SAFETY: the first eight bytes of a mapping are aligned, and belong to no program's region.
        unsafe { AtomicU64::from_ptr(self.at.cast()) }.store(items, Ordering::Relaxed);
    }

    pub fn holds(&self, offset: usize, len: usize) -> bool {
        offset <= self.len && len <= self.len - offset
    }

    pub fn put(&self, offset: usize, bytes: &[u8]) {
        assert!(self.holds(offset, bytes.len()));
        // SAFETY: the window holds these bytes, and a frame does not lie in it.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.add(offset), bytes.len()) };
    }

    pub fn get(&self, offset: usize, len: usize) -> Vec<u8> {
        assert!(self.holds(offset, len));
        let mut bytes = vec![0; len];
        // SAFETY: the window holds these bytes, and the vector has just been made.
        unsafe { ptr::copy_nonoverlapping(self.at.add(offset), bytes.as_mut_ptr(), len) };
        bytes
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: mapped by `open`, and whoever got it from `as_memory` lives no longer than this.
        unsafe { libc::munmap(self.at.cast(), self.len) };
    }
}

fn memory_file(len: usize) -> io::Result<File> {
    // SAFETY: the name is a terminated string.
    let fd = unsafe {
        libc::memfd_create(c"window".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else's.
    let file = unsafe { File::from_raw_fd(fd) };
    file.set_len(len as u64)?;
    Ok(file)
}
