#![no_main]

use crowdfold_fuzz::{address, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("address", address::seeds()),
    |data: &[u8]| address::check(data)
);
