//! See `gavel_fuzz::door_bright_horizons`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::door_bright_horizons(data));
