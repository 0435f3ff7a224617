//! The program with fault points (`crowdfold_kafka::fault`): for tests, never released.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    crowdfold::process::main()
}
