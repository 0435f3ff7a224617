#![no_main]

use crowdfold_fuzz::{plant, rollups};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("rollups", rollups::seeds()),
    |data: &[u8]| rollups::check(data)
);
