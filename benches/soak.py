#!/usr/bin/env python3
"""Memory of a trainer and of the workbench attached to it, over very many training steps.

    cargo build --workspace && python3 benches/soak.py target/debug STEPS [SECONDS AT MOST]

Trains the smallest network on phantoms of 32 pixels in a temporary folder and samples the resident memory of both programs
every second. Fails if either grows by more than 2 % in the second half: the mean of the last tenth of the samples against
the mean of a tenth from the middle on. Linux.
"""

import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

LIMIT = 2.0
SETTINGS = "size=32,width=0.125,batch_size=2,augment=false,threads=1,epochs=100000,schedule=constant,early_stop=0"


def resident_kb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise SystemExit(f"process {pid} has ended")


def workbench(program, workspace):
    """Starts the workbench on the run in a terminal of its own; returns its process and its terminal."""
    terminal, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen([program, "attach", "--workspace", workspace], stdin=other, stdout=other, stderr=other,
                               start_new_session=True, env=os.environ | {"TERM": "xterm-256color"})
    os.close(other)

    def drain():
        try:
            while os.read(terminal, 1 << 16):
                pass
        except OSError:
            pass

    threading.Thread(target=drain, daemon=True).start()
    return process, terminal


def growth(samples):
    tenth, middle = max(len(samples) // 10, 1), len(samples) // 2
    mean = lambda part: sum(part) / len(part)
    return 100 * (mean(samples[-tenth:]) / mean(samples[middle:middle + tenth]) - 1)


def main():
    binaries, steps = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    longest = float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
    program = str(binaries / "mammoscope")
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "MAMMOSCOPE_ENGINE": str(binaries / "mammoscope-engine")}
    with tempfile.TemporaryDirectory() as folder:
        data, workspace = f"{folder}/data", f"{folder}/workspace"
        # A user without settings who has seen the tour.
        shutil.copytree(Path(__file__).parents[1] / "crates/test-support/home", f"{folder}/home")
        for name in ("config", "state", "data"):
            os.environ[f"XDG_{name.upper()}_HOME"] = f"{folder}/home/{name}"
        subprocess.run([program, "phantom", data, "--size", "64", "--subjects", "240", "--quiet"], check=True)
        train = [program, "--workspace", workspace, "train", "--data", data, "--view", "CC_R", "--preset", "seed",
                 "--device", "cpu", "--set", SETTINGS, "--detach"]
        run = Path(subprocess.run(train, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
        status = lambda: json.loads((run / "status.json").read_text())
        trainer, start = status()["pid"], time.monotonic()
        process, terminal = workbench(program, workspace)
        samples, said = ([], []), 0
        while (now := status())["step"] < steps:
            if now["state"] not in ("starting", "running"):
                raise SystemExit(f"the run is {now['state']}: {now['reason']}")
            time.sleep(1)
            for series, pid in zip(samples, (trainer, process.pid)):
                series.append(resident_kb(pid))
            if now["step"] // 5000 > said:
                said = now["step"] // 5000
                print(f"step {now['step']:>7} {time.monotonic() - start:7.0f} s: trainer {samples[0][-1]} kB, "
                      f"workbench {samples[1][-1]} kB", flush=True)
            if time.monotonic() - start > longest:
                break
        reached, seconds = status()["step"], time.monotonic() - start
        subprocess.run([program, "--workspace", workspace, "control", run.name, "stop"], check=True)
        os.write(terminal, b"q")
        process.wait()
        grown = [growth(series) for series in samples]
        print(f"{reached} steps in {seconds:.0f} s; growth in the second half: trainer {grown[0]:+.2f} %, "
              f"workbench {grown[1]:+.2f} %")
        if max(grown) > LIMIT:
            raise SystemExit(f"more than {LIMIT} %")


main()
