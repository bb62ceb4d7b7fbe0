//! Sets the run-time search path of libtorch, as the engine's build script does for the engine.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let folder = PathBuf::from(env::var_os("DEP_TCH_LIBTORCH_LIB").expect("set by torch-sys for its dependents"));
    let library = folder.join("libtorch_cpu.so");
    let library = library.canonicalize().unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask setup` puts libtorch where the build expects it", library.display())
    });
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", library.parent().expect("a file is in a folder").display());
}
