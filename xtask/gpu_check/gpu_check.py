"""All that mammoscope wants to know of a machine with a GPU, into one JSON file. See run.sh."""

import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(os.environ.get("OUT", ".")) / "gpu-check.json"
DEVICE = os.environ.get("GPU_CHECK_DEVICE", "cuda:0")
SIZE = int(os.environ.get("GPU_CHECK_SIZE", "650"))
BATCHES = [int(number) for number in os.environ.get("GPU_CHECK_BATCHES", "4,32").split(",")]
# Seconds that one command may take: one that hangs must not cost the parts behind it.
LIMIT = int(os.environ.get("GPU_CHECK_LIMIT", "300"))
PRECISIONS = ["f32-strict", "f32", "bf16"]
WARM_UP = 3

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
    """Ours, and libtorch from Python's torch, whose folder is found without importing it."""
    variables = dict(os.environ)
    torch = importlib.util.find_spec("torch")
    if torch is None:
        raise RuntimeError("this Python has no torch; PYTHON=… names one that has torch 2.11")
    libraries = str(pathlib.Path(torch.origin).parent / "lib")
    # In front of what is there: the driver's own folder may be in it.
    before = [folder for folder in [variables.get("LD_LIBRARY_PATH")] if folder]
    variables["LD_LIBRARY_PATH"] = os.pathsep.join([libraries, *before])
    variables.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return variables


def run(*command):
    """The standard output of a command; an error with the end of what it said where it fails."""
    done = subprocess.run(
        [str(word) for word in command], env=environment(), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise RuntimeError(f"exit status {done.returncode}: {said}")
    return done.stdout


def engine(*arguments):
    return json.loads(run(FOLDER / "mammoscope-engine", *arguments))


def part(name, body):
    """Runs a part and writes the report, with the part's result or the reason why there is none."""
    print(f"{name} …", file=sys.stderr, flush=True)
    start = time.monotonic()
    try:
        result = {"result": body()}
    except Exception as error:  # whatever it is, the other parts are wanted
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
    # Its exit status says whether all is well; its document says what is not.
    return json.loads(done.stdout)


def steps_beside_cpu():
    """Ten steps on the device against the same on the CPU in f32, small enough for the CPU."""
    size = min(SIZE, 128)
    results = {}
    for precision in PRECISIONS:
        arguments = ["--device", DEVICE, "--against", "cpu", "--precision", precision, "--size", size]
        results[precision] = engine("bench", "ten-steps", *arguments)
    return results


def train():
    """Images a second of a step, its loss read each time as the peer does, and the peak of the device's memory."""
    results = []
    for batch in BATCHES:
        for precision in PRECISIONS:
            for benchmark in [False, True]:
                case = {"batch": batch, "precision": precision, "cudnn_benchmark": benchmark}
                flags = ["--cudnn-benchmark"] if benchmark else []
                arguments = ["--device", DEVICE, "--precision", precision, "--size", SIZE, "--batch", batch]
                try:
                    steps = engine("bench", "ten-steps", *arguments, "--steps", WARM_UP + 10, *flags)["run"]
                    median = statistics.median(steps["seconds"][WARM_UP:])
                    case.update(img_per_s=batch / median, median_s=median, min_s=min(steps["seconds"][WARM_UP:]))
                    case.update(gpu_memory=steps["gpu_memory"], host_peak_bytes=steps["host_peak_bytes"])
                except Exception as error:
                    case["error"] = str(error)
                results.append(case)
    if all("error" in case for case in results):
        raise RuntimeError(results[0]["error"])
    return results


def forward():
    arguments = ["--sizes", SIZE, "--batches", ",".join(map(str, BATCHES)), "--precisions", ",".join(PRECISIONS)]
    return engine("bench", "forward", "--device", DEVICE, *arguments, "--json")


def peer():
    batches = ",".join(map(str, BATCHES))
    return json.loads(run(sys.executable, FOLDER / "peer.py", DEVICE, SIZE, batches, WARM_UP))


def training_from_files():
    """A short training of one view from PNG files, as a person would start it, and its evaluation."""
    size = min(SIZE, 256)
    with tempfile.TemporaryDirectory() as scratch:
        data, workspace = pathlib.Path(scratch, "phantoms"), pathlib.Path(scratch, "workspace")
        run(FOLDER / "mammoscope", "phantom", data, "--subjects", 120, "--size", size, "--seed", 1)
        workspace.mkdir()
        start = time.monotonic()
        settings = f"epochs=3,size={size},batch_size=16"
        train = ["train", "--data", data, "--view", "CC_R", "--preset", "quick", "--set", settings]
        run(FOLDER / "mammoscope", "--workspace", workspace, *train, "--device", DEVICE, "--follow")
        seconds = time.monotonic() - start
        runs = sorted((workspace / "runs").iterdir())
        events = [json.loads(line) for line in (runs[0] / "events.jsonl").read_text().splitlines()]
        status = json.loads((runs[0] / "status.json").read_text())
        epochs = [event for event in events if event["event"] == "epoch_ended"]
        prepared = next(event for event in events if event["event"] == "prepared")
        return {"seconds": seconds, "prepared": prepared, "epochs": epochs, "status": status}


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
    "train": train,
    "forward": forward,
    "PyTorch": peer,
    "training from files": training_from_files,
}
if DEVICE == "cpu":
    del PARTS["gpu"]
for name, body in PARTS.items():
    part(name, body)
failed = [name for name, result in report["parts"].items() if "error" in result]
print(f"{OUT}" + (f"; failed: {', '.join(failed)}" if failed else ""), file=sys.stderr)
sys.exit(1 if failed else 0)
