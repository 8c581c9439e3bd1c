//! Exports the functions of `src/system.rs` from the program, so that libraries that look them up at run time find these.

fn main() {
    for name in ["getrandom", "clock_gettime", "syscall"] {
        println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol={name}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
