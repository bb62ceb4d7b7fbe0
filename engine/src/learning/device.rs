//! Devices: CUDA loaded at run time, and what is asked for against what is there.

use std::ffi::{CStr, CString, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_protocol::engine_facts::{CudaDevice, CudaFacts, CudaState, EngineFacts};
use mammoscope_engine_protocol::protocol::{PROTOCOL_VERSION, VERSION};
use tch::{Cuda, Device, Kind};

use super::libtorch_ext::{allow_tf32, libtorch_version};

/// Why a device or a precision cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// A GPU is asked for, and CUDA cannot be used.
    #[error(
        "{device} is asked for, but {reason}; `mammoscope doctor` tells what is missing, --device cpu does without"
    )]
    NoCuda {
        /// The device asked for.
        device: DeviceChoice,
        /// Why there is none.
        reason: String,
    },
    /// A GPU is asked for that is not there.
    #[error("{device} is asked for, but the GPUs here are cuda:0 to cuda:{}", count - 1)]
    NoSuchGpu {
        /// The device asked for.
        device: DeviceChoice,
        /// How many there are.
        count: usize,
    },
    /// The CPU has no instructions for bf16.
    #[error(
        "this CPU has no bf16 instructions (avx512_bf16 or amx_bf16), in which bf16 would be slower than f32; use --precision f32"
    )]
    NoBf16,
    /// libtorch refuses a setting.
    #[error("libtorch: {0}")]
    Libtorch(#[from] tch::TchError),
}

/// Loads libtorch's CUDA parts where there is a driver, and tells what became of it.
///
/// The program links the CPU parts only, so that one binary serves machines with and without a GPU. Call this first in
/// `main`: libtorch looks for its CUDA parts once, at the first question about CUDA.
#[must_use]
pub fn load_cuda() -> CudaFacts {
    let facts = |state, detail: String| CudaFacts { state, detail, devices: Vec::new() };
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
            "an NVIDIA driver is here, but libtorch's CUDA parts are not; `cargo xtask setup --cuda` gets them";
        return facts(CudaState::NoLibrary, detail.to_owned());
    }
    let cuda = match SharedLibrary::open(&library, libc::RTLD_NOW | libc::RTLD_GLOBAL) {
        Ok(cuda) => cuda,
        Err(reason) => return facts(CudaState::Error, format!("libtorch's CUDA parts cannot be loaded: {reason}")),
    };
    let count = if Cuda::is_available() { i32::try_from(Cuda::device_count()).unwrap_or(0) } else { 0 };
    if count == 0 {
        let versions = (driver.version(c"cuDriverGetVersion"), cuda.version(c"cudaRuntimeGetVersion"));
        return facts(CudaState::Error, without_gpu(versions));
    }
    let devices = (0..count).map(|number| driver.device(number)).collect();
    CudaFacts { state: CudaState::Available, detail: String::new(), devices }
}

/// Why CUDA finds no GPU, from the versions of driver and runtime (1000 times the major and 10 times the minor number).
fn without_gpu(versions: (Option<i32>, Option<i32>)) -> String {
    match versions {
        // Within a major version, older drivers serve newer runtimes.
        (Some(driver), Some(runtime)) if driver / 1000 < runtime / 1000 => format!(
            "the NVIDIA driver is for CUDA {}.{}, libtorch for CUDA {}.{}: a newer driver is needed",
            driver / 1000,
            driver % 1000 / 10,
            runtime / 1000,
            runtime % 1000 / 10
        ),
        _ => "driver and libtorch are here, but CUDA finds no usable GPU".to_owned(),
    }
}

/// What `mammoscope-engine probe` prints.
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

/// The device for a choice.
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

/// The precision that a choice means on a device, with libtorch set accordingly, and the kind of its tensors.
pub fn select_precision(choice: Precision, device: Device) -> Result<(Precision, Kind), DeviceError> {
    let has_bf16 = device.is_cuda() || cpu_has_bf16();
    let precision = match choice {
        Precision::Auto if has_bf16 => Precision::Bf16,
        Precision::Auto => Precision::F32,
        Precision::Bf16 if !has_bf16 => return Err(DeviceError::NoBf16),
        settled => settled,
    };
    allow_tf32(precision != Precision::F32Strict)?;
    Ok((precision, if precision == Precision::Bf16 { Kind::BFloat16 } else { Kind::Float }))
}

/// A device in words.
#[must_use]
pub fn device_name(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(number) => format!("cuda:{number}"),
        other => format!("{other:?}"),
    }
}

/// Whether the CPU computes in bf16 rather than emulating it.
#[must_use]
pub fn cpu_has_bf16() -> bool {
    // The standard library knows avx512_bf16 but not yet AMX; the kernel names both.
    std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| {
        text.lines()
            .find(|line| line.starts_with("flags"))
            .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "avx512_bf16" || flag == "amx_bf16"))
    })
}

/// The folder from which libtorch was really loaded.
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
        // SAFETY: the path is NUL-terminated; the libraries' own initialisers are trusted as libtorch itself is.
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

    /// The version that a function of CUDA gives, which wants no GPU. CUDA Driver and Runtime API, "Version Management".
    fn version(self, name: &CStr) -> Option<i32> {
        type GetVersion = unsafe extern "C" fn(*mut c_int) -> c_int;
        let symbol = self.symbol(name)?;
        let mut version = 0;
        // SAFETY: CUDA documents this signature for both functions that are asked for.
        let status = unsafe { std::mem::transmute::<*mut libc::c_void, GetVersion>(symbol.as_ptr())(&raw mut version) };
        (status == 0 && version > 0).then_some(version)
    }

    /// Name and memory of a GPU, asked of the driver (`self`), which libtorch has initialised by then; empty and zero
    /// where the driver does not tell. CUDA Driver API, "Device Management".
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
        CudaFacts { state, detail: "a reason".to_owned(), devices: vec![device; devices] }
    }

    #[test]
    fn automatic_takes_what_is_there() {
        let none = cuda(CudaState::NoDriver, 0);
        let two = cuda(CudaState::Available, 2);
        assert_eq!(select_device(DeviceChoice::Auto, &none).ok(), Some(Device::Cpu));
        assert_eq!(select_device(DeviceChoice::Auto, &two).ok(), Some(Device::Cuda(0)));
        assert_eq!(select_device(DeviceChoice::Cuda(1), &two).ok(), Some(Device::Cuda(1)));
        assert_eq!(select_device(DeviceChoice::Cpu, &two).ok(), Some(Device::Cpu));
    }

    #[test]
    fn a_gpu_that_is_not_there_is_said() {
        let error = select_device(DeviceChoice::Cuda(0), &cuda(CudaState::NoDriver, 0)).expect_err("no GPU");
        assert!(error.to_string().contains("a reason"), "{error}");
        let error = select_device(DeviceChoice::Cuda(2), &cuda(CudaState::Available, 2)).expect_err("two GPUs");
        assert!(error.to_string().contains("cuda:0 to cuda:1"), "{error}");
    }

    #[test]
    fn an_old_driver_is_named() {
        let detail = without_gpu((Some(12_040), Some(13_000)));
        assert!(detail.contains("for CUDA 12.4, libtorch for CUDA 13.0"), "{detail}");
        for versions in [(Some(13_000), Some(13_010)), (None, Some(13_000)), (Some(12_040), None)] {
            assert!(without_gpu(versions).contains("no usable GPU"));
        }
    }

    #[test]
    fn libtorch_is_found_where_it_was_loaded_from() {
        let _ = tch::get_num_threads();
        let folder = library_folder().expect("libtorch is loaded");
        assert!(folder.join("libtorch_cpu.so").exists());
    }
}
