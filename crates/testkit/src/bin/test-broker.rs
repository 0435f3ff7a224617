//! Starts a Kafka cluster for experiments: `cargo run -p crowdfold-testkit --bin test-broker [1|3] [KEY=VALUE]...`. The
//! first argument is the number of brokers, and the others are broker properties. The program prints the bootstrap
//! servers and the log directories. The cluster runs until the standard input of the program is closed.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::io::Read;

use crowdfold_testkit::{Kafka, Options};

fn main() {
    let mut options = Options::default();
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some((key, value)) => options = options.with(key, value),
            None => options.brokers = argument.parse().expect("the number of brokers (1 or 3), or KEY=VALUE"),
        }
    }
    let brokers = options.brokers;
    let kafka = Kafka::start(options);
    println!("bootstrap={}", kafka.bootstrap());
    for id in 1..=brokers {
        println!("log_dir={}", kafka.log_dir(id).display());
    }
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
