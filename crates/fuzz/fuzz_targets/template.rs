//! See `gavel_fuzz::template`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::template(data));
