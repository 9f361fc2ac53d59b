//! See `gavel_fuzz::document`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::document(data));
