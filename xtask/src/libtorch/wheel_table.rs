//! The table of wheels: versions, sizes, SHA-256 and shared libraries.
//!
//! Sizes and hashes were computed from the files on the Python Package Index; torch 2.11.0 requires exactly these
//! versions of the CUDA libraries. The torch wheel for Python 3.11 serves all versions: none of its Python files are
//! used.

use super::wheels::{Wheel, WheelFile};

/// The additional libraries that `libtorch_cpu.so` for aarch64 links.
pub(super) const TORCH_AARCH64: [&str; 7] = [
    "torch/lib/libarm_compute.so",
    "torch/lib/libarm_compute_graph.so",
    "torch/lib/libgfortran.so.5",
    "torch/lib/libnvpl_blas_core.so.0",
    "torch/lib/libnvpl_blas_lp64_gomp.so.0",
    "torch/lib/libnvpl_lapack_core.so.0",
    "torch/lib/libnvpl_lapack_lp64_gomp.so.0",
];

/// torch's own CUDA libraries, which are in the same wheel as the CPU library.
pub(super) const TORCH_CUDA: [&str; 5] = [
    "torch/lib/libc10_cuda.so",
    "torch/lib/libcaffe2_nvrtc.so",
    "torch/lib/libtorch_cuda.so",
    "torch/lib/libtorch_cuda_linalg.so",
    "torch/lib/libtorch_nvshmem.so",
];

/// All wheels, those that a CPU machine needs first: `libtorch_cpu.so` of this release links cupti and cudart.
pub(super) const WHEELS: [Wheel; 16] = [
    Wheel {
        project: "torch",
        version: "2.11.0",
        cuda_only: false,
        libraries: &["torch/lib/libc10.so", "torch/lib/libgomp.so.1", "torch/lib/libtorch_cpu.so"],
        x86_64: WheelFile {
            bytes: 530_604_548,
            sha256: "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
            kept: (491_716_479, 514_335_261),
        },
        aarch64: WheelFile {
            bytes: 419_718_178,
            sha256: "d91aac77f24082809d2c5a93f52a5f085032740a1ebc9252a7b052ef5a4fddc6",
            kept: (332_666_021, 421_783_029),
        },
    },
    Wheel {
        project: "nvidia-cuda-cupti",
        version: "13.0.85",
        cuda_only: false,
        libraries: &["nvidia/cu13/lib/libcupti.so.13"],
        x86_64: WheelFile {
            bytes: 10_715_597,
            sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
            kept: (4_152_208, 0),
        },
        aarch64: WheelFile {
            bytes: 10_310_827,
            sha256: "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151",
            kept: (3_850_656, 0),
        },
    },
    Wheel {
        project: "nvidia-cuda-runtime",
        version: "13.0.96",
        cuda_only: false,
        libraries: &["nvidia/cu13/lib/libcudart.so.13"],
        x86_64: WheelFile {
            bytes: 2_243_632,
            sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            kept: (704_288, 0),
        },
        aarch64: WheelFile {
            bytes: 2_261_060,
            sha256: "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55",
            kept: (707_752, 0),
        },
    },
    Wheel {
        project: "nvidia-cublas",
        version: "13.1.0.3",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libcublas.so.13", "nvidia/cu13/lib/libcublasLt.so.13"],
        x86_64: WheelFile {
            bytes: 423_133_236,
            sha256: "ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171",
            kept: (595_773_576, 0),
        },
        aarch64: WheelFile {
            bytes: 542_851_226,
            sha256: "c86fc7f7ae36d7528288c5d88098edcb7b02c633d262e7ddbb86b0ad91be5df2",
            kept: (691_847_976, 0),
        },
    },
    Wheel {
        project: "nvidia-cufft",
        version: "12.0.0.61",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libcufft.so.12"],
        x86_64: WheelFile {
            bytes: 214_085_489,
            sha256: "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3",
            kept: (286_542_352, 0),
        },
        aarch64: WheelFile {
            bytes: 214_053_554,
            sha256: "2708c852ef8cd89d1d2068bdbece0aa188813a0c934db3779b9b1faa8442e5f5",
            kept: (283_285_752, 0),
        },
    },
    Wheel {
        project: "nvidia-cufile",
        version: "1.15.1.6",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libcufile.so.0"],
        x86_64: WheelFile {
            bytes: 1_223_672,
            sha256: "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44",
            kept: (3_170_800, 0),
        },
        aarch64: WheelFile {
            bytes: 1_136_992,
            sha256: "bdc0deedc61f548bddf7733bdc216456c2fdb101d020e1ab4b88d232d5e2f6d1",
            kept: (3_006_936, 0),
        },
    },
    Wheel {
        project: "nvidia-curand",
        version: "10.4.0.35",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libcurand.so.10"],
        x86_64: WheelFile {
            bytes: 59_544_258,
            sha256: "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
            kept: (132_698_328, 0),
        },
        aarch64: WheelFile {
            bytes: 61_962_106,
            sha256: "133df5a7509c3e292aaa2b477afd0194f06ce4ea24d714d616ff36439cee349a",
            kept: (147_889_368, 0),
        },
    },
    Wheel {
        project: "nvidia-cusolver",
        version: "12.0.4.66",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libcusolver.so.12"],
        x86_64: WheelFile {
            bytes: 200_941_980,
            sha256: "0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112",
            kept: (141_152_872, 0),
        },
        aarch64: WheelFile {
            bytes: 223_467_760,
            sha256: "02c2457eaa9e39de20f880f4bd8820e6a1cfb9f9a34f820eb12a155aa5bc92d2",
            kept: (153_574_032, 0),
        },
    },
    Wheel {
        project: "nvidia-cusparse",
        version: "12.6.3.3",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libcusparse.so.12"],
        x86_64: WheelFile {
            bytes: 145_942_937,
            sha256: "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b",
            kept: (162_565_256, 0),
        },
        aarch64: WheelFile {
            bytes: 162_155_568,
            sha256: "80bcc4662f23f1054ee334a15c72b8940402975e0eab63178fc7e670aa59472c",
            kept: (174_842_648, 0),
        },
    },
    Wheel {
        project: "nvidia-nvjitlink",
        version: "13.0.88",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libnvJitLink.so.13"],
        x86_64: WheelFile {
            bytes: 40_713_933,
            sha256: "13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b",
            kept: (98_806_736, 0),
        },
        aarch64: WheelFile {
            bytes: 38_768_748,
            sha256: "e931536ccc7d467a98ba1d8b89ff7fa7f1fa3b13f2b0069118cd7f47bff07d0c",
            kept: (89_258_944, 0),
        },
    },
    Wheel {
        project: "nvidia-cuda-nvrtc",
        version: "13.0.88",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libnvrtc-builtins.so.13.0", "nvidia/cu13/lib/libnvrtc.so.13"],
        x86_64: WheelFile {
            bytes: 90_215_200,
            sha256: "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
            kept: (113_718_680, 0),
        },
        aarch64: WheelFile {
            bytes: 43_015_449,
            sha256: "d27f20a0ca67a4bb34268a5e951033496c5b74870b868bacd046b1b8e0c3267b",
            kept: (103_886_400, 0),
        },
    },
    Wheel {
        project: "nvidia-nvtx",
        version: "13.0.85",
        cuda_only: true,
        libraries: &["nvidia/cu13/lib/libnvtx3interop.so.1"],
        x86_64: WheelFile {
            bytes: 148_047,
            sha256: "4936d1d6780fbe68db454f5e72a42ff64d1fd6397df9f363ae786930fd5c1cd4",
            kept: (40_160, 0),
        },
        aarch64: WheelFile {
            bytes: 148_878,
            sha256: "cb7780edb6b14107373c835bf8b72e7a178bac7367e23da7acb108f973f157a6",
            kept: (39_944, 0),
        },
    },
    Wheel {
        project: "nvidia-cudnn-cu13",
        version: "9.19.0.56",
        cuda_only: true,
        libraries: &[
            "nvidia/cudnn/lib/libcudnn.so.9",
            "nvidia/cudnn/lib/libcudnn_adv.so.9",
            "nvidia/cudnn/lib/libcudnn_cnn.so.9",
            "nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9",
            "nvidia/cudnn/lib/libcudnn_engines_runtime_compiled.so.9",
            "nvidia/cudnn/lib/libcudnn_graph.so.9",
            "nvidia/cudnn/lib/libcudnn_heuristic.so.9",
            "nvidia/cudnn/lib/libcudnn_ops.so.9",
        ],
        x86_64: WheelFile {
            bytes: 366_066_321,
            sha256: "d20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf",
            kept: (493_410_224, 0),
        },
        aarch64: WheelFile {
            bytes: 433_781_201,
            sha256: "6ed29ffaee1176c612daf442e4dd6cfeb6a0caa43ddcbeb59da94953030b1be4",
            kept: (533_636_776, 0),
        },
    },
    Wheel {
        project: "nvidia-cusparselt-cu13",
        version: "0.8.0",
        cuda_only: true,
        libraries: &["nvidia/cusparselt/lib/libcusparseLt.so.0"],
        x86_64: WheelFile {
            bytes: 169_884_119,
            sha256: "25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd",
            kept: (233_613_145, 0),
        },
        aarch64: WheelFile {
            bytes: 220_791_277,
            sha256: "400c6ed1cf6780fc6efedd64ec9f1345871767e6a1a0a552a1ea0578117ea77c",
            kept: (273_881_681, 0),
        },
    },
    Wheel {
        project: "nvidia-nccl-cu13",
        version: "2.28.9",
        cuda_only: true,
        libraries: &["nvidia/nccl/lib/libnccl.so.2"],
        x86_64: WheelFile {
            bytes: 196_493_177,
            sha256: "e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42",
            kept: (217_995_896, 0),
        },
        aarch64: WheelFile {
            bytes: 196_561_677,
            sha256: "01c873ba1626b54caa12272ed228dc5b2781545e0ae8ba3f432a8ef1c6d78643",
            kept: (219_355_704, 0),
        },
    },
    Wheel {
        project: "nvidia-nvshmem-cu13",
        version: "3.4.5",
        cuda_only: true,
        libraries: &["nvidia/nvshmem/lib/libnvshmem_host.so.3"],
        x86_64: WheelFile {
            bytes: 60_412_546,
            sha256: "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80",
            kept: (41_241_312, 0),
        },
        aarch64: WheelFile {
            bytes: 60_215_947,
            sha256: "6dc2a197f38e5d0376ad52cd1a2a3617d3cdc150fd5966f4aee9bcebb1d68fe9",
            kept: (40_950_048, 0),
        },
    },
];
