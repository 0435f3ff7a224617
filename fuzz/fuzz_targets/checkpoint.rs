#![no_main]

use crowdfold_fuzz::{checkpoint, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("checkpoint", checkpoint::seeds()),
    |data: &[u8]| checkpoint::check(data)
);
