//! The program with fault points (`crowdfold_kafka::fault`). It is used only in tests, and never released.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    crowdfold::process::main()
}
