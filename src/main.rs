//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    postly::cli::main()
}
