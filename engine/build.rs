//! Compiles the C++ files for what tch lacks, and sets the run-time search path of libtorch.

use std::env;
use std::path::PathBuf;

const FOLDER: &str = "src/learning/libtorch_ext";
const SOURCES: [&str; 7] = [
    "cuda_graph.cpp",
    "fused_norm.cpp",
    "gpu_memory.cpp",
    "layer_gradients.cpp",
    "libtorch_ext.cpp",
    "optimizer_step.cpp",
    "random_generator.cpp",
];

fn main() {
    println!("cargo:rerun-if-changed={FOLDER}");
    for variable in ["LIBTORCH", "LIBTORCH_INCLUDE", "LIBTORCH_LIB", "LIBTORCH_USE_PYTORCH"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    if let Some(folder) = env::var_os("LIBTORCH") {
        // `cargo xtask setup` rewrites this file when `.libtorch` points elsewhere, so that the rpath is updated.
        println!("cargo:rerun-if-changed={}", PathBuf::from(folder).join("build-version").display());
    }
    // torch-sys has found libtorch by then and passes its location to direct dependents.
    let library_folder =
        PathBuf::from(env::var_os("DEP_TCH_LIBTORCH_LIB").expect("set by torch-sys for its dependents"));
    let library = library_folder.join("libtorch_cpu.so");
    let library = library.canonicalize().unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask setup` puts libtorch where the build expects it", library.display())
    });
    // The real folder, not the link: it also contains the libraries that libtorch depends on.
    let real_folder = library.parent().expect("a file is in a folder");
    let include = env::var_os("LIBTORCH_INCLUDE")
        .or_else(|| env::var_os("LIBTORCH"))
        .map_or_else(|| real_folder.join("..").join("include"), |folder| PathBuf::from(folder).join("include"));
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        // Loops over feature maps need all of the compiler, in every profile.
        .opt_level(3)
        // Nothing here asks for the processor's exceptions, and without them branches become selections.
        .flag_if_supported("-fno-trapping-math")
        .flag_if_supported("-fno-math-errno")
        // libtorch's headers warn a lot; they are not ours.
        .warnings(false)
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .include(include)
        .files(SOURCES.map(|source| PathBuf::from(FOLDER).join(source)))
        .compile("mammoscope_libtorch_ext");
    // After the static library above, whose symbols they resolve.
    println!("cargo:rustc-link-lib=dylib=torch_cpu");
    println!("cargo:rustc-link-lib=dylib=c10");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", real_folder.display());
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib");
}
