#!/bin/sh
# Runs the GPU checks on a machine with an NVIDIA GPU and PyTorch 2.11, without Rust.
#
#   ./run.sh                      writes gpu-check.json to $OUT, or to the current folder
#   PYTHON=/opt/venv/bin/python3  a Python with torch
#   GPU_CHECK_DEVICE=cpu GPU_CHECK_SIZE=64 GPU_CHECK_BATCHES=2 ./run.sh      a trial run without a GPU
#   GPU_CHECK_ONLY=train,PyTorch ./run.sh                                    only some parts, by name
#
# A failed part is recorded with its reason and the others still run; the exit status is then 1.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
exec "${PYTHON:-python3}" "$folder/gpu_check.py"
