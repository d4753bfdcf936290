"""What torch's compiler keeps between runs, without what a killed process left half-written.

A library that was being linked when its process was killed stays behind, empty or cut short. Whoever loads it later
fails, ends with a bus error, or takes the processor for one without vectors and computes slowly.
"""

import struct
import time
from pathlib import Path

_SETTLED_SECONDS = 30.0
"""After which nobody is still linking a library."""
_HEADER = 64
"""Bytes of an ELF header, of which the last fields say where the table of sections ends."""


def remove_broken_libraries(folder: Path) -> list[Path]:
    """Remove every library that is not whole and that nobody can still be writing.

    Args:
        folder: Of the compiler's cache; it need not be there.

    Returns:
        The libraries that were removed.
    """
    removed = []
    for library in folder.rglob("*.so"):
        try:
            settled = time.time() - library.stat().st_mtime > _SETTLED_SECONDS
            if settled and not _is_whole(library):
                library.unlink()
                removed.append(library)
        except OSError:  # someone else's, or gone meanwhile
            continue
    return removed


def _is_whole(library: Path) -> bool:
    """Whether the file reaches as far as its header says; the sections' table is what a linker writes last."""
    with library.open("rb") as file:
        header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(b"\x7fELF\x02\x01"):
        return False
    (table,) = struct.unpack_from("<Q", header, 0x28)
    size, number = struct.unpack_from("<HH", header, 0x3A)
    return bool(library.stat().st_size >= table + size * number)
