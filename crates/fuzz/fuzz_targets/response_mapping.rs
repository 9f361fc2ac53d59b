//! See `gavel_fuzz::response_mapping`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::response_mapping(data));
