#![no_main]

use crowdfold_fuzz::{configuration, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("configuration", configuration::seeds()),
    |data: &[u8]| configuration::check(data)
);
