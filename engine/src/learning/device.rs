//! Devices and precisions: CUDA is loaded at run time, and requests are checked against the hardware.

use std::ffi::{CStr, CString, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_protocol::engine_facts::{CudaDevice, CudaFacts, CudaState, EngineFacts};
use mammoscope_engine_protocol::{PROTOCOL_VERSION, VERSION};
use tch::{Cuda, Device, Kind};

use super::libtorch_ext::cuda_graph::check_graphs;
use super::libtorch_ext::{allow_tf32, first_line, libtorch_version};

/// A requested device or precision is not available.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error(
        "{device} was requested, but {reason}; `mammoscope doctor` shows what is missing; --device cpu needs no GPU"
    )]
    NoCuda { device: DeviceChoice, reason: String },
    #[error("{device} was requested, but the GPUs here are cuda:0 to cuda:{}", count - 1)]
    NoSuchGpu { device: DeviceChoice, count: usize },
    #[error(
        "this CPU has no bf16 instructions (avx512_bf16 or amx_bf16), without which bf16 is slower than f32; use \
         --precision f32"
    )]
    NoBf16,
    #[error("libtorch: {0}")]
    Libtorch(#[from] tch::TchError),
}

/// Loads libtorch's CUDA libraries if there is a driver, and reports the result.
///
/// The program links only the CPU libraries, so that one binary serves machines with and without a GPU. Call this
/// before any other use of CUDA: libtorch looks for its CUDA libraries once, at the first query about CUDA.
#[must_use]
pub fn load_cuda() -> CudaFacts {
    let facts = |state, detail: String| CudaFacts { state, detail, devices: Vec::new(), without_graphs: String::new() };
    let driver = match SharedLibrary::open(Path::new("libcuda.so.1"), libc::RTLD_LAZY | libc::RTLD_LOCAL) {
        Ok(driver) => driver,
        Err(reason) => return facts(CudaState::NoDriver, format!("no NVIDIA driver on this machine ({reason})")),
    };
    let Some(folder) = library_folder() else {
        return facts(CudaState::NoLibrary, "libtorch's folder is unknown".to_owned());
    };
    let library = folder.join("libtorch_cuda.so");
    if !library.exists() {
        let detail =
            "an NVIDIA driver is installed, but libtorch's CUDA libraries are not; run `cargo xtask setup --cuda`";
        return facts(CudaState::NoLibrary, detail.to_owned());
    }
    let cuda = match SharedLibrary::open(&library, libc::RTLD_NOW | libc::RTLD_GLOBAL) {
        Ok(cuda) => cuda,
        Err(reason) => return facts(CudaState::Error, format!("libtorch's CUDA libraries cannot be loaded: {reason}")),
    };
    let count = if Cuda::is_available() { i32::try_from(Cuda::device_count()).unwrap_or(0) } else { 0 };
    if count == 0 {
        let versions = (driver.version(c"cuDriverGetVersion"), cuda.version(c"cudaRuntimeGetVersion"));
        return facts(CudaState::Error, without_gpu(versions));
    }
    let devices = (0..count).map(|number| driver.device(number)).collect();
    let without_graphs = check_graphs().err().map(|error| first_line(&error)).unwrap_or_default();
    CudaFacts { state: CudaState::Available, detail: String::new(), devices, without_graphs }
}

/// Explains why CUDA finds no GPU, from the driver's and the runtime's versions (1000 · major + 10 · minor).
fn without_gpu(versions: (Option<i32>, Option<i32>)) -> String {
    match versions {
        // Within a major version, older drivers support newer runtimes.
        (Some(driver), Some(runtime)) if driver / 1000 < runtime / 1000 => format!(
            "the NVIDIA driver is for CUDA {}.{}, libtorch for CUDA {}.{}: a newer driver is required",
            driver / 1000,
            driver % 1000 / 10,
            runtime / 1000,
            runtime % 1000 / 10
        ),
        _ => "the NVIDIA driver and libtorch's CUDA libraries are installed, but CUDA finds no usable GPU".to_owned(),
    }
}

/// The facts printed by `mammoscope-engine probe`.
#[must_use]
pub fn probe(cuda: CudaFacts) -> EngineFacts {
    EngineFacts {
        engine_version: VERSION.to_owned(),
        protocol: PROTOCOL_VERSION,
        libtorch: libtorch_version(),
        library_folder: library_folder().map(|folder| folder.display().to_string()).unwrap_or_default(),
        threads: u32::try_from(tch::get_num_threads()).unwrap_or(1),
        cuda,
        cpu_bf16: cpu_has_bf16(),
    }
}

/// Resolves a device choice.
pub fn select_device(choice: DeviceChoice, cuda: &CudaFacts) -> Result<Device, DeviceError> {
    match choice {
        DeviceChoice::Auto if cuda.state == CudaState::Available => Ok(Device::Cuda(0)),
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda(_) if cuda.state != CudaState::Available => {
            Err(DeviceError::NoCuda { device: choice, reason: cuda.detail.clone() })
        }
        DeviceChoice::Cuda(number) if number >= cuda.devices.len() => {
            Err(DeviceError::NoSuchGpu { device: choice, count: cuda.devices.len() })
        }
        DeviceChoice::Cuda(number) => Ok(Device::Cuda(number)),
    }
}

/// Resolves a precision choice on a device and configures libtorch for it; returns the precision and its tensor kind.
pub fn select_precision(choice: Precision, device: Device) -> Result<(Precision, Kind), DeviceError> {
    let has_bf16 = device.is_cuda() || cpu_has_bf16();
    let precision = match choice {
        Precision::Auto if has_bf16 => Precision::Bf16,
        Precision::Auto => Precision::F32,
        Precision::Bf16 if !has_bf16 => return Err(DeviceError::NoBf16),
        explicit => explicit,
    };
    allow_tf32(precision != Precision::F32Strict)?;
    Ok((precision, if precision == Precision::Bf16 { Kind::BFloat16 } else { Kind::Float }))
}

/// The name of a device, such as `cuda:0`.
#[must_use]
pub fn device_name(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(number) => format!("cuda:{number}"),
        other => format!("{other:?}"),
    }
}

/// True if the CPU has bf16 instructions rather than emulating them.
#[must_use]
pub fn cpu_has_bf16() -> bool {
    // The standard library detects avx512_bf16 but not yet AMX; the kernel lists both.
    std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| {
        text.lines()
            .find(|line| line.starts_with("flags"))
            .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "avx512_bf16" || flag == "amx_bf16"))
    })
}

/// The folder from which libtorch was actually loaded.
#[must_use]
pub fn library_folder() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let path = Path::new(&line[line.find('/')?..]);
        (path.file_name()? == "libtorch_cpu.so").then(|| path.parent().map(Path::to_owned))?
    })
}

/// A library that stays loaded until the process ends, as CUDA's must.
#[derive(Clone, Copy)]
struct SharedLibrary(NonNull<libc::c_void>);

impl SharedLibrary {
    fn open(path: &Path, flags: libc::c_int) -> Result<Self, String> {
        let path = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
        // SAFETY: the path is NUL-terminated; the libraries' initialisers are trusted like libtorch itself.
        let handle = unsafe { libc::dlopen(path.as_ptr(), flags) };
        if let Some(handle) = NonNull::new(handle) {
            return Ok(Self(handle));
        }
        // SAFETY: after a failed dlopen, dlerror returns null or a string that is valid until the next call.
        let message = unsafe { NonNull::new(libc::dlerror()).map(|message| CStr::from_ptr(message.as_ptr())) };
        Err(message.map_or_else(|| "no reason given".into(), CStr::to_string_lossy).into_owned())
    }

    fn symbol(self, name: &CStr) -> Option<NonNull<libc::c_void>> {
        // SAFETY: the handle is that of a library that is never closed, the name is NUL-terminated.
        NonNull::new(unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) })
    }

    /// The version returned by a CUDA function, which needs no GPU. CUDA Driver and Runtime API, "Version Management".
    fn version(self, name: &CStr) -> Option<i32> {
        type GetVersion = unsafe extern "C" fn(*mut c_int) -> c_int;
        let symbol = self.symbol(name)?;
        let mut version = 0;
        // SAFETY: CUDA documents this signature for both functions.
        let status = unsafe { std::mem::transmute::<*mut libc::c_void, GetVersion>(symbol.as_ptr())(&raw mut version) };
        (status == 0 && version > 0).then_some(version)
    }

    /// The name and memory of a GPU from the driver (`self`), which libtorch has initialised by then; empty and zero if
    /// the driver does not report them. CUDA Driver API, "Device Management".
    fn device(self, number: i32) -> CudaDevice {
        type GetName = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
        type GetMemory = unsafe extern "C" fn(*mut usize, c_int) -> c_int;
        let mut name = [0_u8; 256];
        let mut memory = 0_usize;
        if let (Some(get_name), Some(get_memory)) =
            (self.symbol(c"cuDeviceGetName"), self.symbol(c"cuDeviceTotalMem_v2"))
        {
            // SAFETY: the driver documents these signatures; the buffer's true length is passed, and the device's
            // handle is its number.
            unsafe {
                let get_name: GetName = std::mem::transmute(get_name.as_ptr());
                let get_memory: GetMemory = std::mem::transmute(get_memory.as_ptr());
                get_name(name.as_mut_ptr().cast(), name.len() as c_int - 1, number);
                get_memory(&raw mut memory, number);
            }
        }
        let name = CStr::from_bytes_until_nul(&name).map(CStr::to_string_lossy).unwrap_or_default().into_owned();
        CudaDevice { name, memory_bytes: memory as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuda(state: CudaState, devices: usize) -> CudaFacts {
        let device = CudaDevice { name: "a GPU".to_owned(), memory_bytes: 1 << 36 };
        CudaFacts {
            state,
            detail: "a reason".to_owned(),
            devices: vec![device; devices],
            without_graphs: String::new(),
        }
    }

    #[test]
    fn auto_selects_the_best_available_device() {
        let none = cuda(CudaState::NoDriver, 0);
        let two = cuda(CudaState::Available, 2);
        assert_eq!(select_device(DeviceChoice::Auto, &none).ok(), Some(Device::Cpu));
        assert_eq!(select_device(DeviceChoice::Auto, &two).ok(), Some(Device::Cuda(0)));
        assert_eq!(select_device(DeviceChoice::Cuda(1), &two).ok(), Some(Device::Cuda(1)));
        assert_eq!(select_device(DeviceChoice::Cpu, &two).ok(), Some(Device::Cpu));
    }

    #[test]
    fn a_missing_gpu_is_reported() {
        let error = select_device(DeviceChoice::Cuda(0), &cuda(CudaState::NoDriver, 0)).expect_err("no GPU");
        assert!(error.to_string().contains("a reason"), "{error}");
        let error = select_device(DeviceChoice::Cuda(2), &cuda(CudaState::Available, 2)).expect_err("two GPUs");
        assert!(error.to_string().contains("cuda:0 to cuda:1"), "{error}");
    }

    #[test]
    fn an_outdated_driver_is_reported() {
        let detail = without_gpu((Some(12_040), Some(13_000)));
        assert!(detail.contains("for CUDA 12.4, libtorch for CUDA 13.0"), "{detail}");
        for versions in [(Some(13_000), Some(13_010)), (None, Some(13_000)), (Some(12_040), None)] {
            assert!(without_gpu(versions).contains("no usable GPU"));
        }
    }

    #[test]
    fn the_library_folder_contains_libtorch() {
        let _ = tch::get_num_threads();
        let folder = library_folder().expect("libtorch is loaded");
        assert!(folder.join("libtorch_cpu.so").exists());
    }
}
