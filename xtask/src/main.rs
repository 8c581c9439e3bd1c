//! `cargo xtask`: the two commands of this repository (`demo`, `test`) and what they are made of.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    xtask::cli::main()
}
