#![no_main]

use crowdfold_fuzz::{capture, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("capture", capture::seeds()),
    |data: &[u8]| capture::check(data)
);
