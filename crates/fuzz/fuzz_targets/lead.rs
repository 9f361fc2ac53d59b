//! See `gavel_fuzz::lead`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::lead(data));
