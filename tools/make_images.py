"""Make the pictures of docs/images: the report of a training, photographed in a browser without a window.

python tools/make_images.py [--recurra COMMAND] [--browser PROGRAM]

It trains a forecaster on the airline passengers (a minute), so the data set has to be there (`recurra data get airline-passengers`,
or RECURRA_DATA), and needs Chromium or Chrome and the package pillow.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH, TALLEST = 1000, 4000  # pixels of the window
SHOWN_HEIGHT = 1600  # pixels of the page, from its top, that the picture has
COLOURS = 96  # of the palette: text and lines need no more, and the file is a third of the size
MAX_BYTES = 200_000
TRAINING = [
    "train",
    "forecast",
    "airline-passengers",
    "--seed",
    "1",
    "--precision",
    "float32",
    "--threads",
    "1",
    "--quiet",
]


def browser(named: str | None) -> str:
    """Find a browser; ends the program with what to do where there is none."""
    found = next((path for name in ([named] if named else BROWSERS) if (path := shutil.which(name))), None)
    if found is None:
        sys.exit("expected Chromium or Chrome; install one (apt-get install chromium) or name it: --browser PROGRAM")
    return found


def photograph(page: Path, picture: Path, program: str) -> None:
    """Take a picture of a whole page, in its light colours."""
    command = [
        program,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
    ]
    size = [f"--window-size={WIDTH},{TALLEST}", f"--screenshot={picture}"]
    subprocess.run([*command, *size, page.absolute().as_uri()], check=True, capture_output=True, timeout=120)


def shrink(picture: Path, target: Path) -> None:
    """Keep the top of a picture, with few colours; raises `SystemExit` where it is too large all the same."""
    from PIL import Image

    with Image.open(picture) as image:
        top = image.convert("RGB").crop((0, 0, image.width, min(SHOWN_HEIGHT, image.height)))
        top.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    if (size := target.stat().st_size) > MAX_BYTES:
        sys.exit(f"{target}: {size:,} bytes, more than {MAX_BYTES:,}; show less of the page")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recurra", default=shutil.which("recurra") or str(Path(sys.executable).with_name("recurra")))
    parser.add_argument("--browser")
    options = parser.parse_args()
    program = browser(options.browser)
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run, picture = Path(folder, "run"), Path(folder, "page.png")
        subprocess.run([options.recurra, *TRAINING, "-o", str(run)], check=True)
        photograph(run / "report.html", picture, program)
        shrink(picture, IMAGES / "report.png")
    print(f"{IMAGES / 'report.png'}: {(IMAGES / 'report.png').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
