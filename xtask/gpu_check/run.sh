#!/bin/sh
# What wants a GPU, measured on a machine with an NVIDIA GPU and Python's torch 2.11, without Rust.
#
#   ./run.sh                      writes gpu-check.json into $OUT, or here
#   PYTHON=/opt/venv/bin/python3  the Python that has torch
#   GPU_CHECK_DEVICE=cpu GPU_CHECK_SIZE=64 GPU_CHECK_BATCHES=2 ./run.sh      tries it out without a GPU
#   GPU_CHECK_ONLY=train,PyTorch ./run.sh                                    some parts, by their names
#
# A part that fails is recorded with its reason, the others go on; the exit status is 1 then.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
exec "${PYTHON:-python3}" "$folder/gpu_check.py"
