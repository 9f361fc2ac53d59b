//! See `gavel_fuzz::door_pingtree`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::door_pingtree(data));
