#!/usr/bin/env python3
"""Time from a key to a map on screen: steps through images on the workbench's Explain screen, in a pty, and times each key.

    python3 benches/explain_latency.py [--program target/release/mammoscope] [--model FILE] [--size 650] [--images 20]

Images are phantoms of --size pixels in a temporary folder; the models are those of --model (a model file, or a folder
with one for CC_R), or a full-width network with random weights, made by a one-step training run. The engine must be
beside the program, or named by MAMMOSCOPE_ENGINE.

Two passes of --images keys each, on images that have not been explained before:
  first       PageDown, ten images further, where nothing was computed ahead (alternating End and Home would meet cached
              maps); the time from the key to the map on screen
  ahead       the Right key, once the previous map has been there for a while: the next one was computed ahead

A map is on screen when the title names the new image, its scores are there, and half-blocks fill the overlay's pane. A
key without its map within --patience seconds ends the measurement with exit status 1: the medians omit nothing.
"""
import argparse, fcntl, os, pty, re, select, shutil, signal, statistics, struct, subprocess, sys, tempfile, termios, time

COLUMNS, ROWS = 120, 40
GOAL_MS = 400


class Screen:
    """The cells of a terminal, as far as the workbench needs them: moves the cursor, clears, and writes characters."""

    TOKEN = re.compile(rb"\x1b\[([0-9;?<>=!]*)([@-~])|\x1b[\]P_].*?(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b.|[\x00-\x1f]", re.S)

    def __init__(self):
        self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0
        self.rest = b""

    def feed(self, data):
        data, self.rest, at = self.rest + data, b"", 0
        while at < len(data):
            found = self.TOKEN.search(data, at)
            end = found.start() if found else len(data)
            text = data[at:end]
            if not found and self.unfinished(text):
                self.rest = text
                return
            self.write(text.decode("utf-8", "replace"))
            if not found:
                return
            if found.group() == b"\x1b" or (found.group()[:2] in (b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b_") and not self.ended(found)):
                self.rest = data[found.start():]
                return
            self.command(found)
            at = found.end()

    @staticmethod
    def ended(found):
        return found.group(2) is not None or found.group().endswith((b"\x07", b"\x1b\\"))

    @staticmethod
    def unfinished(text):
        """Returns true if a multi-byte character is cut off, or an escape sequence begins."""
        if b"\x1b" in text[-1:]:
            return True
        try:
            text.decode("utf-8")
            return False
        except UnicodeDecodeError as error:
            return error.reason == "unexpected end of data"

    def write(self, text):
        for letter in text:
            if self.row < ROWS and self.column < COLUMNS:
                self.cells[self.row][self.column] = letter
            self.column += 1

    def command(self, found):
        if found.group(2) is None:
            if found.group() == b"\r":
                self.column = 0
            elif found.group() == b"\n":
                self.row = min(self.row + 1, ROWS - 1)
            return
        numbers = [int(part) if part.isdigit() else 0 for part in found.group(1).decode().split(";")]
        letter = found.group(2)
        if letter in b"Hf":
            self.row = max(numbers[0], 1) - 1
            self.column = max(numbers[1] if len(numbers) > 1 else 1, 1) - 1
        elif letter == b"C":
            self.column += max(numbers[0], 1)
        elif letter == b"D":
            self.column -= max(numbers[0], 1)
        elif letter == b"A":
            self.row -= max(numbers[0], 1)
        elif letter == b"B":
            self.row += max(numbers[0], 1)
        elif letter == b"G":
            self.column = max(numbers[0], 1) - 1
        elif letter == b"d":
            self.row = max(numbers[0], 1) - 1
        elif letter == b"J" and numbers[0] == 2:
            self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
        elif letter == b"K" and numbers[0] == 0:
            self.cells[self.row][self.column:] = [" "] * (COLUMNS - self.column)
        elif letter == b"X":
            count = max(numbers[0], 1)
            self.cells[self.row][self.column:self.column + count] = [" "] * min(count, COLUMNS - self.column)

    def text(self):
        return "\n".join("".join(row) for row in self.cells)


class Session:
    """The workbench in a terminal that replies like a plain xterm, so that pictures are half-blocks."""

    def __init__(self, command):
        self.screen = Screen()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", OMP_WAIT_POLICY="PASSIVE")
            os.execv(command[0], command)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, COLUMNS * 8, ROWS * 16))

    def press(self, keys):
        os.write(self.terminal, keys)

    def wait(self, what, wanted, patience):
        """Reads until the screen is as wanted, and returns the seconds that took; exits on a timeout."""
        begun = time.monotonic()
        while not wanted(self.screen.text()):
            left = patience - (time.monotonic() - begun)
            if left <= 0:
                self.fail(f"{what} did not come within {patience:g} s")
            if not select.select([self.terminal], [], [], min(left, 0.05))[0]:
                continue
            try:
                data = os.read(self.terminal, 1 << 16)
            except OSError:
                self.fail(f"the program ended while waiting for {what}")
            if b"\x1b[c" in data:
                self.press(b"\x1b[?62;22c")
            self.screen.feed(data)
        return time.monotonic() - begun

    def idle(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                self.screen.feed(os.read(self.terminal, 1 << 16))

    def fail(self, problem):
        print(f"error: {problem}; the screen shows:\n{self.screen.text()}", file=sys.stderr)
        self.close()
        sys.exit(1)

    def resident(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

    def close(self):
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        # Read what it still writes, or it could block.
        while not os.waitpid(self.pid, os.WNOHANG)[0]:
            if select.select([self.terminal], [], [], 0.05)[0]:
                try:
                    os.read(self.terminal, 1 << 16)
                except OSError:
                    pass
        os.close(self.terminal)


def random_model(program, folder):
    """Makes a full-width model with a one-step training run."""
    data, workspace = os.path.join(folder, "few"), os.path.join(folder, "training")
    subprocess.run([program, "phantom", data, "--subjects", "8", "--size", "64", "--quiet"], check=True)
    settings = "epochs=1,batch_size=8,width=1,size=64"
    train = ["train", "--data", data, "--view", "CC_R", "--preset", "quick", "--set", settings]
    subprocess.run([program, "--workspace", workspace, *train], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = [os.path.join(place, name) for place, _, names in os.walk(workspace) for name in names if name.startswith("best-")]
    if not found:
        sys.exit("the training run wrote no model")
    return found[0]


def folder_of_images(program, folder, count, size):
    """Makes images of CC_R in one folder, named so that each can be recognised on screen."""
    drawn, place = os.path.join(folder, "drawn"), os.path.join(folder, "images", "CC_R", "C")
    os.makedirs(place)
    subjects = str(min(count, 24))
    subprocess.run([program, "phantom", drawn, "--subjects", subjects, "--size", str(size), "--quiet"], check=True)
    sources = [
        os.path.join(root, name)
        for root, _, names in os.walk(drawn)
        for name in sorted(names)
        if name.endswith("_CC_R.png") and "masks" not in root
    ]
    for number in range(1, count + 1):
        # Copies, not links: a link is the same file, which would be in the page cache.
        shutil.copy(sources[number % len(sources)], os.path.join(place, f"{1000 + number}_1_C_CC_R.png"))
    return os.path.join(folder, "images")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/mammoscope")
    parser.add_argument("--model", help="a model file or a folder of models")
    parser.add_argument("--size", type=int, default=650, help="side of the images in pixels [650]")
    parser.add_argument("--images", type=int, default=20, help="keys per pass [20]")
    parser.add_argument("--patience", type=float, default=30, help="seconds after which a key counts as unanswered [30]")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    if not os.path.exists(program):
        sys.exit(f"{program} is not there: cargo build --release")
    folder = tempfile.mkdtemp(prefix="explain-latency-")
    try:
        measure(program, arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(program, arguments, folder):
    model = arguments.model or random_model(program, folder)
    models = os.path.join(folder, "workspace", "models")
    os.makedirs(models)
    if os.path.isdir(model):
        model = os.path.join(model, "CC_R.safetensors")
    shutil.copy(model, os.path.join(models, "CC_R.safetensors"))
    keys = arguments.images
    # The pass in steps of ten, then the pass in steps of one.
    count = 10 * (keys + 1) + keys + 2
    images = folder_of_images(program, folder, count, arguments.size)
    os.chdir(folder)
    session = Session([program, "--workspace", os.path.join(folder, "workspace")])
    session.wait("the workbench", lambda text: "Datasets" in text, 20)
    for typed, what in [(b"1", "Datasets"), (b"o", "Datasets")]:
        session.press(typed)
        session.idle(0.5)
    session.press(b"\x15" + images.encode() + b"\r")
    session.wait("the data set", lambda text: "CC_R" in text and f"{count:,}" in text, 30)
    # From the folders to the images of the first one; `e` explains those listed there.
    session.idle(1)
    session.press(b"\r")
    session.idle(1)
    session.press(b"e")
    position = lambda text: re.search(r"(\d+) of (\d+) ", text.split("\n", 2)[1])
    session.wait("the screen Explain", lambda text: position(text) is not None, 30)
    listed = int(position(session.screen.text()).group(2))

    def is_there(place):
        def wanted(text):
            found = position(text)
            if found is None or int(found.group(1)) != place or "in the breast" not in text:
                return False
            # The overlay is between the image and the 40 columns of scores.
            overlay = "".join(line[COLUMNS // 3:COLUMNS - 40] for line in text.split("\n"))
            return sum(letter in "▀▄█" for letter in overlay) >= 100
        return wanted

    place = int(position(session.screen.text()).group(1))
    started = session.wait("the first map, with the engine's start", is_there(place), 120)
    print(f"{'the first map, with the start of the engine':<66}{started * 1e3:>9.0f} ms", flush=True)
    times = {"first": [], "ahead": []}

    def walk(name, key, step, place):
        """Presses a key that moves `step` images on, starting from image number `place`."""
        while len(times[name]) < keys:
            if place + step > listed:
                session.fail(f"only {listed} images are listed: {len(times[name])} keys were timed")
            # Wait until no computation ahead can interfere.
            session.idle(3)
            session.press(key)
            place += step
            times[name].append(session.wait(f"the map of image {place}", is_there(place), arguments.patience))

    walk("first", b"\x1b[6~", 10, place)
    session.press(b"\x1b[H")
    session.wait("the first image", is_there(1), arguments.patience)
    walk("ahead", b"\x1b[C", 1, 1)
    missed = False
    for name, what in [("first", "key to map, nothing computed ahead"), ("ahead", "key to map, computed ahead")]:
        if len(times[name]) != keys:
            session.fail(f"{len(times[name])} of {keys} keys were answered")
        median = statistics.median(times[name]) * 1e3
        missed |= median > GOAL_MS
        verdict = "   MISSED" if median > GOAL_MS else ""
        largest = max(times[name]) * 1e3
        print(f"{what + f' (median of {keys})':<66}{median:>9.0f} ms   goal {GOAL_MS}, largest {largest:.0f}{verdict}", flush=True)
    print(f"{'resident':<66}{session.resident():>9.1f} MB   goal 60", flush=True)
    session.close()
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
