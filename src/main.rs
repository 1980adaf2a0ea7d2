//! The `postly` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    postly::cli::main()
}
