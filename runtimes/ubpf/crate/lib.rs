// A name that is used keeps the library in the archive; the worker calls it from C.
pub use libubpf_sys::ubpf_create;
