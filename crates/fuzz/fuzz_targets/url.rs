//! See `gavel_fuzz::url`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::url(data));
