//! The binary `crowdfold`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    crowdfold::process::main()
}
