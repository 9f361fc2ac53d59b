//! See `gavel_fuzz::filter`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::filter(data));
