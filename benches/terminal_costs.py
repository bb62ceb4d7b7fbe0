#!/usr/bin/env python3
"""The costs of the workbench in a terminal: runs it in a pty and counts bytes and time.

    python3 benches/terminal_costs.py [--program target/release/mammoscope] [--training]

Prints one line per goal: the measurement, its value, the goal. Needs nothing but Python; runs are made by
`mammoscope-synthetic-run`. With --training, keys are also timed during a real training run on the same cores (the
engine must be beside the program). It takes about three minutes.
"""
import argparse, fcntl, json, os, pty, select, shutil, signal, statistics, struct, subprocess, sys, tempfile, termios, time


class Session:
    """A program in a terminal of its own, which replies like a plain xterm."""

    def __init__(self, command, size=(120, 40)):
        columns, rows = size
        self.log, self.start = bytearray(), time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(command[0], command)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, columns * 8, rows * 16))

    def read(self, seconds, until=None, quiet=None):
        """Reads until a text appears, output stops or time runs out; returns the times of the first and last byte."""
        begun, seen = time.monotonic(), len(self.log)
        first = last = None
        while time.monotonic() - begun < seconds:
            if quiet and last and time.monotonic() - last > quiet:
                break
            if until and until in self.log[max(0, seen - len(until)):]:
                break
            if not select.select([self.terminal], [], [], 0.002)[0]:
                continue
            try:
                data = os.read(self.terminal, 1 << 16)
            except OSError:
                break
            last = time.monotonic()
            first = first or last
            self.log += data
            if b"\x1b[c" in data:
                os.write(self.terminal, b"\x1b[?62;22c")
        return first, last

    def key(self, keys, **patience):
        """Types keys; returns the milliseconds to the first and last byte of the reply, and its length."""
        pressed, before = time.monotonic(), len(self.log)
        os.write(self.terminal, keys)
        first, last = self.read(2, quiet=0.15, **patience)
        ms = lambda at: (at - pressed) * 1e3 if at else None
        return ms(first), ms(last), len(self.log) - before

    def resident(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

    def close(self):
        os.write(self.terminal, b"\x1b\x1b")
        self.read(0.3)
        os.write(self.terminal, b"q")
        self.read(1)
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def report(what, figure, unit, goal):
    verdict = "" if figure <= goal else "   MISSED"
    print(f"{what:<66}{figure:>9.1f} {unit:<8} goal {goal:g}{verdict}", flush=True)


def starts(program, folder):
    """Measures the first paint with 100 runs, and a long run drawn in full."""
    many, long = os.path.join(folder, "many"), os.path.join(folder, "long")
    make(program, many, "--runs", "100", "--epochs", "5", "--steps", "20")
    make(program, long, "--epochs", "100", "--steps", "1000")
    paints, idles = [], []
    for _ in range(5):
        session = Session([program, "--workspace", many])
        first, _ = session.read(2, until=b"Datasets")
        paints.append((time.monotonic() - session.start) * 1e3)
        session.read(3, quiet=0.5)
        session.key(b"3")
        session.read(2, quiet=0.5)
        before = len(session.log)
        session.read(4)
        idles.append((len(session.log) - before) / 4)
        session.close()
    report("first paint, a workspace with 100 runs (median of 5)", statistics.median(paints), "ms", 100)
    report("idle, Runs with 100 runs (median of 5)", statistics.median(idles), "B/s", 100)
    drawn, sent = [], []
    for _ in range(5):
        session = Session([program, "attach", "--workspace", long])
        _, last = session.read(5, quiet=0.25)
        drawn.append((last - session.start) * 1e3)
        sent.append(len(session.log) / 1e3)
        resident = session.resident()
        session.close()
    report("a run of 100,000 reports drawn in full (median of 5)", statistics.median(drawn), "ms", 300)
    report("  bytes sent for it, including the start of the terminal", max(sent), "kB", 20)
    report("  resident memory", resident, "MB", 60)


def screens(program, folder):
    """Measures keys that change the screen, and so save the state, while another process writes to the same disk."""
    writing = (
        "import os,sys,time\nwith open(sys.argv[1],'wb') as f:\n"
        " while True:\n  f.seek(0); f.write(bytes(1<<24)); os.fsync(f); time.sleep(.05)"
    )
    disk = subprocess.Popen([sys.executable, "-c", writing, os.path.join(folder, "written")])
    try:
        session = Session([program, "--workspace", os.path.join(folder, "many")])
        session.read(3, quiet=0.5)
        delays = []
        for key in [b"4", b"3", b"2", b"3", b"1", b"3"] * 5:
            first, _, _ = session.key(key)
            if first is None:
                sys.exit(f"key {key!r} was not answered within 2 seconds")
            delays.append(first)
    finally:
        disk.kill()
        disk.wait()
    session.close()
    report("key to another screen beside a busy disk (maximum of 30)", max(delays), "ms", 30)


def live(program, folder):
    """Measures the cost of a run that reports four times a second, and the delay until an event is visible."""
    workspace = os.path.join(folder, "live")
    trainer = subprocess.Popen(
        [synthetic_run(program), "--workspace", workspace, "--live", "60"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    run = trainer.stdout.readline().decode().strip()
    while not os.path.exists(os.path.join(run, "status.json")):
        time.sleep(0.01)
    session = Session([program, "attach", "--workspace", workspace])
    session.read(5, quiet=0.12)
    before, begun = len(session.log), time.monotonic()
    session.read(5)
    frames = session.log[before:].count(b"\x1b[?2026h")
    report("an update of a run that reports 4 times a second", (len(session.log) - before) / max(frames, 1) / 1e3, "kB", 4)
    delays = []
    for number in range(20):
        # Every letter differs from the one it replaces: only cells that change are sent.
        needle = chr(ord("a") + number) * 8
        line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": "warning", "message": needle}
        with open(os.path.join(run, "events.jsonl"), "a") as events:
            events.write(json.dumps(line) + "\n")
        written = time.monotonic()
        session.read(3, until=needle.encode())
        delays.append((time.monotonic() - written) * 1e3)
    report("an event of it on screen (maximum of 20)", max(delays), "ms", 250)
    session.close()
    trainer.send_signal(signal.SIGINT)
    trainer.wait()


def images(program, folder):
    """Measures the first list of a folder with 100,000 images."""
    root = os.path.join(folder, "images")
    subprocess.run([program, "phantom", os.path.join(folder, "one"), "--subjects", "1", "--size", "48", "--quiet"], check=True)
    source = next(
        os.path.join(place, name)
        for place, _, names in os.walk(os.path.join(folder, "one"))
        for name in names
        if name.endswith("CC_R.png") and "masks" not in place
    )
    for number in range(100_000):
        place = os.path.join(root, "CC_R", "ABCD"[number % 4])
        if number < 4:
            os.makedirs(place)
            # A file cannot have more than 65,000 hard links.
            shutil.copy(source, os.path.join(folder, f"{number}.png"))
        os.link(os.path.join(folder, f"{number % 4}.png"), os.path.join(place, f"{number}_1_{'ABCD'[number % 4]}_CC_R.png"))
    lists, residents = [], []
    for _ in range(3):
        session = Session([program, "--workspace", os.path.join(folder, "ws")])
        session.read(3, quiet=0.3)
        session.key(b"1")
        session.key(b"o")
        session.key(b"\x15" + root.encode())
        entered = time.monotonic()
        os.write(session.terminal, b"\r")
        session.read(5, until=b"CC_R")
        lists.append((time.monotonic() - entered) * 1e3)
        session.read(10, until=b"100,000")
        session.key(b"\x1b[C")
        session.key(b"\x1b[B")
        entered = time.monotonic()
        os.write(session.terminal, b"\r")
        session.read(10, until=b"_CC_R.png")
        lists[-1] = max(lists[-1], (time.monotonic() - entered) * 1e3)
        session.read(5, quiet=1)
        residents.append(session.resident())
        session.close()
    report("the first list of 100,000 images (median of 3)", statistics.median(lists), "ms", 200)
    report("  resident memory after all are counted", max(residents), "MB", 80)


def thumbnails(program, folder):
    """Measures the contact sheet of 1,000 images of the size of real mammograms."""
    root, parts = os.path.join(folder, "mammograms"), os.path.join(folder, "large")
    subprocess.run([program, "phantom", parts, "--subjects", "12", "--size", "1800", "--quiet"], check=True)
    sources = [
        os.path.join(place, name)
        for place, _, names in os.walk(parts)
        for name in sorted(names)
        if name.endswith("CC_R.png") and "masks" not in place
    ]
    for number in range(1000):
        place = os.path.join(root, "CC_R", "ABCD"[number % 4])
        os.makedirs(place, exist_ok=True)
        name = f"{number}_1_{'ABCD'[number % 4]}_CC_R.png"
        os.link(sources[number % len(sources)], os.path.join(place, name))
    size = os.path.getsize(sources[0]) / 1e3
    firsts, residents, sent = [], [], []
    for _ in range(5):
        session = Session([program, "--workspace", os.path.join(folder, "thumbnails"), "--graphics", "halfblocks"])
        session.read(3, quiet=0.3)
        session.key(b"o")
        session.key(b"\x15" + root.encode())
        session.key(b"\r")
        session.read(5, until=b"1,000")
        before = len(session.log)
        entered = time.monotonic()
        os.write(session.terminal, b"a")
        _, last = session.read(10, quiet=0.6)
        firsts.append((last - entered) * 1e3)
        sent.append((len(session.log) - before) / 1e3)
        # Twelve pages further on, and back.
        for key in [b"\x1b[6~"] * 12 + [b"\x1b[H"]:
            session.key(key)
        session.read(5, quiet=1)
        residents.append(session.resident())
        session.close()
    report(f"first screen of 1,000 thumbnails of {size:.0f} kB (median of 5)", statistics.median(firsts), "ms", 500)
    report("  bytes sent for it", max(sent), "kB", 200)
    report("  resident memory after 13 pages", max(residents), "MB", 80)


def many_runs(program, folder):
    """Measures how soon ten thousand old runs are listed, and their memory."""
    workspace = os.path.join(folder, "old")
    make(program, workspace, "--runs", "100", "--epochs", "2", "--steps", "2")
    runs = os.path.join(workspace, "runs")
    first = sorted(os.listdir(runs))
    for number in range(1, 100):
        for name in first:
            os.mkdir(os.path.join(runs, f"{name}-{number}"))
            for file in ("run.toml", "status.json", "events.jsonl"):
                os.link(os.path.join(runs, name, file), os.path.join(runs, f"{name}-{number}", file))
    time_list(program, workspace, "10,000 old runs", b"completed", b"10000")
    studies = os.path.join(folder, "studies")
    make(program, studies, "--runs", "10000", "--studies", "200", "--epochs", "2", "--steps", "1")
    time_list(program, studies, "10,000 runs in 200 studies", b"50/50 done", b"00 runs")


def time_list(program, workspace, what, of_newest, of_all):
    """Measures how soon a text of the newest runs, and one of the whole list, is on screen."""
    newest, lists, residents = [], [], []
    for _ in range(3):
        session = Session([program, "--workspace", workspace])
        os.write(session.terminal, b"3")
        session.read(20, until=of_newest)
        newest.append((time.monotonic() - session.start) * 1e3)
        session.read(20, until=of_all)
        lists.append((time.monotonic() - session.start) * 1e3)
        session.read(3, quiet=1)
        residents.append(session.resident())
        session.close()
    report(f"start to the newest of {what} (median of 3)", statistics.median(newest), "ms", 300)
    report("  to the list of all of them", statistics.median(lists), "ms", 5000)
    report("  resident memory", max(residents), "MB", 60)


def hangup(program, folder):
    """Measures how soon the process is gone after its terminal hangs up."""
    ends = []
    for number in range(5):
        session = Session([program, "--workspace", os.path.join(folder, "hangup")])
        session.read(2, until=b"Datasets")
        sent = time.monotonic()
        os.kill(session.pid, signal.SIGHUP)
        while os.waitpid(session.pid, os.WNOHANG)[0] == 0:
            if time.monotonic() - sent > 20:
                sys.exit("the workbench does not end when its terminal hangs up")
            session.read(0.002)
        ends.append((time.monotonic() - sent) * 1e3)
        os.close(session.terminal)
    report("from a hangup to the end of the process (maximum of 5)", max(ends), "ms", 1000)


def keys_beside_training(program, folder):
    """Times keys during a training run on the same cores."""
    data, workspace = os.path.join(folder, "data"), os.path.join(folder, "training")
    subprocess.run([program, "phantom", data, "--subjects", "40", "--size", "128", "--quiet"], check=True)
    train = ["train", "--data", data, "--view", "CC_R", "--preset", "quick", "--set", "epochs=500,early_stop=0", "--detach"]
    subprocess.run([program, "--workspace", workspace, *train], check=True, stdout=subprocess.DEVNULL)
    session = Session([program, "attach", "--workspace", workspace])
    session.read(3)
    delays = []
    for key in [b"z", b"Z", b")", b"(", b"L", b"L", b"i", b"i", b"i", b"X", b"X", b"X", b"?", b"\x1b", b":", b"\x1b"] * 3:
        first, _, _ = session.key(key)
        if first is None:
            sys.exit(f"key {key!r} was not answered within 2 seconds")
        delays.append(first)
    report("key to screen beside a training run (median of 48)", statistics.median(delays), "ms", 30)
    report("  the 95th percentile", statistics.quantiles(delays, n=20)[-1], "ms", 30)
    session.close()
    control = [program, "--workspace", workspace, "control", "latest", "stop"]
    subprocess.run(control, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def synthetic_run(program):
    """The tool that writes synthetic runs: it is built beside the program (`cargo build --release --workspace`)."""
    return os.path.join(os.path.dirname(program), "mammoscope-synthetic-run")


def make(program, workspace, *words):
    command = [synthetic_run(program), "--workspace", workspace, *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/mammoscope")
    parser.add_argument("--training", action="store_true", help="also time keys beside a real training run")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    if not os.path.exists(program):
        sys.exit(f"{program} is not there: cargo build --release")
    folder = tempfile.mkdtemp(prefix="terminal-costs-")
    try:
        starts(program, folder)
        screens(program, folder)
        live(program, folder)
        images(program, folder)
        thumbnails(program, folder)
        many_runs(program, folder)
        hangup(program, folder)
        if arguments.training:
            keys_beside_training(program, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
