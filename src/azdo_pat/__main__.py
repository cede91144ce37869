"""The program."""

import gc
import sys
from typing import Final

_OBJECTS_BETWEEN_COLLECTIONS: Final = 100_000


def main() -> None:
    """Run the root command; it ends the process with the exit code of the contract."""
    # Imports make tens of thousands of objects that all stay. To look through them for garbage
    # at every 700th, as Python does by default, takes a tenth of the time of `pat list`.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from azdo_pat.cli import pat  # noqa: PLC0415  # from its import on, the line above pays

    try:
        pat.main(sys.argv[1:], prog_name="pat")
    finally:
        # At its end Python would look through all of them once more, another tenth, though the
        # system takes the memory back as a whole. Buffers and atexit are not concerned.
        gc.freeze()


if __name__ == "__main__":
    main()
