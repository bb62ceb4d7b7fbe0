#!/usr/bin/env python3
"""Records the pictures of this folder in a real terminal: the animation tour.gif and its stills.

    docs/pictures/record.py [--program PATH] [--workspace DIR] [--data DIR] [--out DIR] [--stills]

The workspace is that of `mammoscope demo`, which `cargo xtask demo` leaves in workspace/demo; in a copy of it, a second
group of runs is trained for the scenes that compare (about a minute). The program runs in an
xterm with sixel pictures on a display of its own. Each scene types its keys, waits until the screen is still, and is
shown for as long as its caption takes to read. Needs xvfb, xterm, xdotool and imagemagick.
"""
import argparse, os, pathlib, shutil, subprocess, sys, tempfile, time

COLUMNS, ROWS = 120, 34
# A screen is still when this many looks in a row are the same.
STILL_LOOKS = 3
LOOK_SECONDS = 0.25
BUSY_PIXELS = 36
PATIENCE_SECONDS = 30
SECONDS_PER_CHARACTER = 0.06
LEAST_SECONDS = 1.5

# Keys as xdotool names them, or text after `=`; the caption; the name of a still, if it is kept as one.
SCENES = [
    ([], "Datasets: the folders of a data set, and its images by class and view", None),
    (["Return", "End", "Up"], "Enter: every image with its grey window, histogram and facts", None),
    (["a"], "a: the images as a contact sheet", "datasets-contact-sheet"),
    (["Return", "z", "z"], "Enter: one image alone; z zooms in, the corner shows where", "viewer-zoom"),
    (["Escape", "H"], "H: the four views of the examination, chest wall to chest wall", "four-views"),
    (["Escape", "Escape", "t"], "t: train on this data set; an epoch is timed before anything starts", "train"),
    (["3", "Down"], "Runs: a leaderboard with curves, best epochs and findings", "runs"),
    (["i"], "i: the events of a run, its log, and what differs from its preset", None),
    (["i", "i", "Return"], "Enter: the evaluation of a run, with intervals", "evaluate"),
    (["i"], "i: ROC and precision-recall curves, reliability, subgroups", "evaluate-curves"),
    (["I", *["Down"] * 3, *["Right"] * 3, "Return"], "Enter: the images of one cell of the confusion matrix", None),
    (["e", *["bracketleft"] * 3, "O"], "e: where the network looks, and whether to believe it", "explain"),
    (["H"], "H: the four views, each explained by its network", "explain-four-views"),
    (["H", "4", "Escape", "c", "Return"], "c: against another group, what it fixed and what it broke", "flips"),
    (["Return", "Return"], "Enter: the maps of both models, side by side", "two-models"),
    (["colon", "=trai"], ": finds every command by name", "commands"),
    (["Escape", "question"], "? lists the keys here; a key means the same on every screen", None),
]


def tool(name):
    path = shutil.which(name)
    if not path:
        sys.exit(f"record.py: {name} is not installed: apt-get install xvfb xterm xdotool imagemagick")
    return path


class Terminal:
    """A program in an xterm on a display of its own."""

    def __init__(self, command, folder):
        read, write = os.pipe()
        screen = ["-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
        self.display = subprocess.Popen(
            [tool("Xvfb"), "-displayfd", str(write), *screen], pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        self.environment = dict(os.environ, DISPLAY=":" + os.read(read, 16).decode().strip(), COLORTERM="truecolor")
        self.environment.pop("TMUX", None)
        look = ["-fa", "DejaVu Sans Mono", "-fs", "10", "-bg", "black", "-fg", "grey85", "-b", "6"]
        sixel = ["-ti", "vt340", "-xrm", "xterm*numColorRegisters: 256", "-tn", "xterm-256color"]
        place = ["-geometry", f"{COLUMNS}x{ROWS}+0+0"]
        self.folder = folder
        self.window = subprocess.Popen(
            [tool("xterm"), *sixel, *look, *place, "-e", *command], env=self.environment, stderr=subprocess.DEVNULL)
        time.sleep(1)
        # Without a window manager keys go to the window under the pointer.
        self.xdotool("mousemove", "300", "300")

    def xdotool(self, *arguments):
        subprocess.run([tool("xdotool"), *arguments], env=self.environment, check=True)

    def type(self, key):
        if key.startswith("="):
            self.xdotool("type", "--delay", "40", key[1:])
        else:
            self.xdotool("key", key)
        time.sleep(0.15)

    def look(self, path):
        command = [tool("import"), "-window", "root", str(path)]
        subprocess.run(command, env=self.environment, check=True)
        subprocess.run([tool("mogrify"), "-trim", "+repage", str(path)], check=True)
        return path

    def still_look(self, path):
        """Looks until the screen is still, but for its two bottom lines, which show how busy the machine is."""
        same, before = 0, None
        end = time.monotonic() + PATIENCE_SECONDS
        while same < STILL_LOOKS and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
            self.look(path)
            above = [tool("convert"), str(path), "-gravity", "south", "-chop", f"0x{BUSY_PIXELS}", "rgb:-"]
            now = subprocess.run(above, capture_output=True, check=True).stdout
            same = same + 1 if now == before else 0
            before = now
        if self.window.poll() is not None:
            sys.exit("record.py: the program has ended")
        return path

    def close(self):
        for process in (self.window, self.display):
            process.terminate()
            process.wait(10)


def captioned(picture, caption, path):
    size = subprocess.run([tool("identify"), "-format", "%w", str(picture)], capture_output=True, text=True, check=True)
    label = ["-background", "#26262c", "-fill", "#e6e6ea", "-font", "DejaVu-Sans", "-pointsize", "15"]
    subprocess.run(
        [tool("convert"), str(picture), "(", *label, "-size", f"{size.stdout}x30", "-gravity", "center",
         f"label:{caption}", ")", "-append", str(path)], check=True)
    return path


def main():
    here = pathlib.Path(__file__).resolve().parent
    root = here.parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=root / "target/debug/mammoscope")
    parser.add_argument("--workspace", type=pathlib.Path, default=root / "workspace/demo")
    parser.add_argument("--data", help="a data set to open first, by its path in the workspace [phantoms]",
                        default="phantoms")
    parser.add_argument("--out", type=pathlib.Path, default=here)
    parser.add_argument("--stills", action="store_true", help="keep the stills beside the animation")
    arguments = parser.parse_args()
    data = arguments.workspace / arguments.data
    if not data.is_dir():
        sys.exit(f"record.py: {data} is not there: run `cargo xtask demo` first, or name a --workspace")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        # A copy in a home of its own, so that neither the saved state of the screens nor the exports of the tour stay
        # behind, and that no path of this machine is in the pictures.
        os.environ["HOME"] = str(folder)
        workspace = folder / "density" / "workspace"
        shutil.copytree(arguments.workspace, workspace)
        (workspace / "view.json").unlink(missing_ok=True)
        command = [str(arguments.program.resolve()), "--workspace", str(workspace)]
        options = ["--view", "all", "--preset", "quick", "--set", "epochs=6,size=128,width=0.25", "--name", "small", "--follow"]
        training = [*command, "train", "--data", str(workspace / arguments.data), *options]
        subprocess.run(training, stdout=subprocess.DEVNULL, check=True)
        terminal = Terminal(command, folder)
        frames = []
        try:
            time.sleep(3)
            for key in ["o", f"={workspace / arguments.data}", "Return"]:
                terminal.type(key)
            for number, (keys, caption, still) in enumerate(SCENES):
                for key in keys:
                    terminal.type(key)
                picture = terminal.still_look(folder / f"scene-{number:02}.png")
                if still and arguments.stills:
                    shutil.copy(picture, arguments.out / f"{still}.png")
                seconds = max(LEAST_SECONDS, SECONDS_PER_CHARACTER * len(caption))
                frames.append((captioned(picture, caption, folder / f"frame-{number:02}.png"), seconds))
        finally:
            terminal.close()
        arguments.out.mkdir(parents=True, exist_ok=True)
        command = [tool("convert"), "-loop", "0"]
        for frame, seconds in frames:
            command += ["-delay", str(round(100 * seconds)), str(frame)]
        animation = arguments.out / "tour.gif"
        subprocess.run([*command, "+dither", "-colors", "96", "-layers", "optimize", str(animation)], check=True)
        print(f"{animation}: {len(frames)} scenes, {animation.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
