#![no_main]

use crowdfold_fuzz::{plant, user_agent};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("user_agent", user_agent::seeds()),
    |data: &[u8]| user_agent::check(data)
);
