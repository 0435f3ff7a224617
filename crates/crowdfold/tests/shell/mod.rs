//! Runs the program in a shell.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a shell command in a directory. In the command, `$C` is the path of the program. Returns the exit code, stdout
/// and stderr.
pub(crate) fn shell(dir: &Path, command: &str) -> (Option<i32>, String, String) {
    let output: Output = Command::new("sh")
        .args(["-c", command])
        .env("C", env!("CARGO_BIN_EXE_crowdfold"))
        .current_dir(dir)
        .output()
        .expect("a shell runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}
