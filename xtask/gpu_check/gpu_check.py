"""Checks and benchmarks of mammoscope on a machine with a GPU, reported in one JSON file. See run.sh."""

import fcntl
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

FOLDER = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(os.environ.get("OUT", ".")) / "gpu-check.json"
DEVICE = os.environ.get("GPU_CHECK_DEVICE", "cuda:0")
SIZE = int(os.environ.get("GPU_CHECK_SIZE", "650"))
BATCHES = [int(number) for number in os.environ.get("GPU_CHECK_BATCHES", "4,8,32").split(",")]
# The time limit of one command in seconds: a hanging command must not prevent the parts after it.
LIMIT = int(os.environ.get("GPU_CHECK_LIMIT", "300"))
PRECISIONS = ["f32-strict", "f32", "bf16"]
# Steps that are not timed: those before a recording, and the recorded one.
WARM_UP = 4
# The flags of the ways to take steps.
WAYS = [[], ["--cudnn-benchmark"], ["--captured"], ["--captured", "--cudnn-benchmark"]]

report = {
    "schema": 1,
    "device": DEVICE,
    "size": SIZE,
    "batches": BATCHES,
    "machine": platform.platform(),
    "python": platform.python_version(),
    "cores": os.cpu_count(),
    "parts": {},
}


def environment():
    """Our environment, with PyTorch's libtorch in the library path; its folder is found without importing it."""
    variables = dict(os.environ)
    torch = importlib.util.find_spec("torch")
    if torch is None:
        raise RuntimeError("this Python has no torch; PYTHON=… names one that has torch 2.11")
    libraries = str(pathlib.Path(torch.origin).parent / "lib")
    # Prepended, because the path may contain the driver's folder.
    before = [folder for folder in [variables.get("LD_LIBRARY_PATH")] if folder]
    variables["LD_LIBRARY_PATH"] = os.pathsep.join([libraries, *before])
    variables.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return variables


def run(*command):
    """Runs a command and returns its stdout; if it fails, the error contains the end of its output."""
    done = subprocess.run(
        [str(word) for word in command], env=environment(), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if done.returncode != 0:
        output = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise RuntimeError(f"exit status {done.returncode}: {output}")
    return done.stdout


def engine(*arguments):
    return json.loads(run(FOLDER / "mammoscope-engine", *arguments))


def bench(*arguments):
    return json.loads(run(FOLDER / "mammoscope-engine-bench", *arguments))


def part(name, body):
    """Runs a part and writes the report with its result or its error."""
    print(f"{name} …", file=sys.stderr, flush=True)
    start = time.monotonic()
    try:
        result = {"result": body()}
    except Exception as error:  # of any kind: the other parts must still run
        result = {"error": f"{type(error).__name__}: {error}"}
        print(f"  failed: {result['error']}", file=sys.stderr, flush=True)
    result["seconds"] = round(time.monotonic() - start, 1)
    report["parts"][name] = result
    OUT.parent.mkdir(parents=True, exist_ok=True)
    fresh = OUT.with_suffix(".part")
    fresh.write_text(json.dumps(report, indent=1))
    fresh.replace(OUT)


def gpu():
    query = "--query-gpu=name,driver_version,memory.total,memory.used,clocks.sm,power.limit"
    return run("nvidia-smi", query, "--format=csv,noheader").strip().splitlines()


def doctor():
    done = subprocess.run(
        [FOLDER / "mammoscope", "doctor", "--json"], env=environment(), capture_output=True, text=True, timeout=LIMIT
    )
    # A failed check changes the exit status, but the document is complete.
    return json.loads(done.stdout)


def steps_beside_cpu():
    """Compares ten steps on the device with the same on the CPU in f32, at a size suitable for the CPU."""
    size = min(SIZE, 128)
    results = {}
    for precision in PRECISIONS:
        arguments = ["--device", DEVICE, "--against", "cpu", "--precision", precision, "--size", size]
        results[precision] = bench("ten-steps", *arguments)
    return results


def train():
    """Images per second of training steps, reading the loss each time as the peer does, and the peak device memory."""
    results = []
    for batch in BATCHES:
        for precision in PRECISIONS:
            for flags in WAYS if precision != "f32-strict" else WAYS[:1]:
                case = {"batch": batch, "precision": precision}
                case.update(cudnn_benchmark="--cudnn-benchmark" in flags, captured="--captured" in flags)
                arguments = ["--device", DEVICE, "--precision", precision, "--size", SIZE, "--batch", batch]
                try:
                    steps = bench("ten-steps", *arguments, "--steps", WARM_UP + 10, *flags)["run"]
                    median = statistics.median(steps["seconds"][WARM_UP:])
                    case.update(img_per_s=batch / median, median_s=median, min_s=min(steps["seconds"][WARM_UP:]))
                    case.update(gpu_memory=steps["gpu_memory"], host_peak_bytes=steps["host_peak_bytes"])
                except Exception as error:
                    case["error"] = str(error)
                results.append(case)
    if all("error" in case for case in results):
        raise RuntimeError(results[0]["error"])
    return results


def captured_beside_eager():
    """Compares steps that are recorded as CUDA graphs with the same ones carried out operation by operation: with
    algorithms that give the same bits in every run, all losses and gradient norms must be equal. The first three steps warm
    up, the fourth is recorded."""
    results = {}
    for precision in ["f32", "bf16"]:
        arguments = ["--device", DEVICE, "--precision", precision, "--size", SIZE, "--deterministic", "--steps", 12]
        eager, captured = [bench("ten-steps", *arguments, *flags)["run"] for flags in [[], ["--captured"]]]
        numbers = lambda run: run["losses"] + run["gradient_norms"]
        differences = [abs(ours - theirs) for ours, theirs in zip(numbers(captured), numbers(eager), strict=True)]
        results[precision] = {"equal": numbers(captured) == numbers(eager), "largest_difference": max(differences)}
    return results


def forward():
    arguments = ["--sizes", SIZE, "--batches", ",".join(map(str, BATCHES)), "--precisions", ",".join(PRECISIONS)]
    return bench("forward", "--device", DEVICE, *arguments, "--json")


def peer():
    batches = ",".join(map(str, BATCHES))
    return json.loads(run(sys.executable, FOLDER / "peer.py", DEVICE, SIZE, batches, WARM_UP))


def fast_peer():
    """PyTorch's training steps compiled and captured; a process per batch size, since compiling takes minutes."""
    command = [sys.executable, FOLDER / "peer.py", DEVICE, SIZE]
    reports = [json.loads(run(*command, batch, WARM_UP, "fast")) for batch in BATCHES]
    return {**reports[0], "results": [case for report in reports for case in report["results"]]}


def gradcam():
    arguments = ["--sizes", SIZE, "--batches", f"1,{BATCHES[-1]}", "--precisions", ",".join(PRECISIONS)]
    return bench("gradcam", "--device", DEVICE, *arguments, "--json")


def augmentation():
    return bench("augmentation", "--sizes", SIZE, "--batch", BATCHES[-1], "--device", DEVICE, "--json")


def files_size():
    return min(SIZE, 256)


def phantoms():
    return run(FOLDER / "mammoscope", "phantom", DATA, "--subjects", 120, "--size", files_size(), "--seed", 1)


def train_command(device=DEVICE):
    """The command that trains one view from PNG files, as a user would type it."""
    settings = f"epochs=5,size={files_size()},batch_size=16"
    train = ["train", "--data", DATA, "--view", "CC_R", "--preset", "quick", "--set", settings, "--device", device]
    return [FOLDER / "mammoscope", "--workspace", WORKSPACE, *train]


def training_from_files():
    """Runs a short training from files, with its evaluation."""
    phantoms()
    start = time.monotonic()
    run(*train_command(), "--follow")
    seconds = time.monotonic() - start
    directory = sorted((WORKSPACE / "runs").iterdir())[0]
    events = [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]
    status = json.loads((directory / "status.json").read_text())
    epochs = [event for event in events if event["event"] == "epoch_ended"]
    prepared = next(event for event in events if event["event"] == "prepared")
    return {"seconds": seconds, "prepared": prepared, "epochs": epochs, "status": status}


def predictions_beside_cpu():
    """Predicts the test images with the trained model on the device and on the CPU; the largest difference."""
    chosen = ["--model", "latest", "--data", DATA, "--view", "CC_R", "--split", "test"]

    def probabilities(device, precision):
        out = SCRATCH / f"predictions-{device.replace(':', '')}-{precision}"
        where = ["--device", device, "--precision", precision, "--out", out]
        run(FOLDER / "mammoscope", "--workspace", WORKSPACE, "predict", *chosen, *where)
        lines = (out / "predictions.csv").read_text().splitlines()[1:]
        return [float(number) for line in lines for number in line.split(",")[-4:]]

    reference = probabilities("cpu", "f32")
    # A CPU without bf16 instructions refuses bf16.
    precisions = PRECISIONS if DEVICE != "cpu" else ["f32-strict"]
    pairs = {precision: zip(probabilities(DEVICE, precision), reference, strict=True) for precision in precisions}
    differences = {precision: max(abs(ours - theirs) for ours, theirs in both) for precision, both in pairs.items()}
    return {"images": len(reference) // 4, "largest_difference": differences}


def explanations():
    """Explains the test images on the device; the scores that the program prints."""
    what = ["--model", "latest", "--data", DATA, "--view", "CC_R", "--split", "test", "--out", SCRATCH / "maps"]
    start = time.monotonic()
    said = run(FOLDER / "mammoscope", "--workspace", WORKSPACE, "explain", *what, "--device", DEVICE, "--json")
    return {"seconds": time.monotonic() - start, "said": json.loads(said)}


def resumed():
    """Stops a training on the device by SIGTERM, resumes it, and compares it with the uninterrupted one. (GPUs sum in no
    fixed order: results are equal to the byte only on the CPU.)"""
    first = sorted((WORKSPACE / "runs").iterdir())[0]
    directory = pathlib.Path(run(*train_command(), "--detach", "--name", "interrupted").strip())
    deadline = time.monotonic() + LIMIT
    state = lambda: json.loads((directory / "status.json").read_text())
    while state().get("epoch", 0) < 2:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no second epoch: {state()}")
        time.sleep(0.02)
    os.kill(state()["pid"], signal.SIGTERM)
    while state()["state"] == "running":
        if time.monotonic() > deadline:
            raise RuntimeError(f"SIGTERM did not stop it: {state()}")
        time.sleep(0.02)
    interrupted = state()
    run(FOLDER / "mammoscope", "--workspace", WORKSPACE, "resume", directory, "--follow")
    losses = []
    for folder in [first, directory]:
        events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
        losses.append([event["train_loss"] for event in events if event["event"] == "epoch_ended"])
    return {"interrupted": interrupted, "ended": state(), "train_losses": losses}


def workbench():
    """Records the terminal output of the workbench while it watches a training on the device."""
    directory = pathlib.Path(run(*train_command(), "--detach", "--name", "watched").strip())
    variables = environment() | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child, terminal = pty.fork()
    if child == 0:
        program = str(FOLDER / "mammoscope")
        os.execve(program, [program, "--workspace", str(WORKSPACE), "attach", str(directory)], variables)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    os.kill(child, signal.SIGWINCH)
    received, leaves, deadline = b"", time.monotonic() + 8, time.monotonic() + 20
    while time.monotonic() < deadline:
        if leaves is not None and time.monotonic() > leaves:
            os.write(terminal, b"q")
            leaves = None
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:
                break
            if not chunk:
                break
            received += chunk
    status = os.waitpid(child, 0)[1]
    OUT.with_name("workbench.bytes").write_bytes(received)
    name = run("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").strip().split()[1] if DEVICE != "cpu" else "cpu"
    return {"exit_status": os.waitstatus_to_exitcode(status), "bytes": len(received), "names_gpu": name.encode() in received}


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


report["torch"] = version("torch")
PARTS = {
    "gpu": gpu,
    "doctor": doctor,
    "ten steps beside the CPU": steps_beside_cpu,
    "captured beside eager": captured_beside_eager,
    "train": train,
    "forward": forward,
    "PyTorch": peer,
    "PyTorch, compiled and captured": fast_peer,
    "Grad-CAM": gradcam,
    "augmentation": augmentation,
    "training from files": training_from_files,
    "predictions beside the CPU": predictions_beside_cpu,
    "explanations": explanations,
    "resumed training": resumed,
    "workbench": workbench,
}
if DEVICE == "cpu":
    del PARTS["gpu"], PARTS["captured beside eager"]
    WAYS = [[]]
ONLY = os.environ.get("GPU_CHECK_ONLY")
with tempfile.TemporaryDirectory() as scratch:
    SCRATCH = pathlib.Path(scratch)
    DATA, WORKSPACE = SCRATCH / "phantoms", SCRATCH / "workspace"
    WORKSPACE.mkdir()
    for name, body in PARTS.items():
        if ONLY is None or name in ONLY.split(","):
            part(name, body)
failed = [name for name, result in report["parts"].items() if "error" in result]
print(f"{OUT}" + (f"; failed: {', '.join(failed)}" if failed else ""), file=sys.stderr)
sys.exit(1 if failed else 0)
