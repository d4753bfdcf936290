"""What a killed compiler left behind is removed, and nothing else."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from deep.compiler_cache import remove_broken_libraries

LIBRARY = Path(np.random.mtrand.__file__)
pytestmark = pytest.mark.skipif(
    LIBRARY.read_bytes()[:6] != b"\x7fELF\x02\x01", reason="libraries of another kind"
)


def placed(folder, name, length=None, age=3600.0):
    """A library in the folder, cut to its first bytes if a length is given, as old as asked."""
    path = folder / "ab" / name
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(LIBRARY, path)
    if length is not None:
        os.truncate(path, length)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize("length", [0, 10, 3_000, LIBRARY.stat().st_size - 1])
def test_a_library_that_was_cut_short_is_removed(tmp_path, length):
    broken = placed(tmp_path, "broken.so", length)
    assert remove_broken_libraries(tmp_path) == [broken]
    assert not broken.exists()


def test_whole_libraries_other_files_and_what_may_still_be_written_stay(tmp_path):
    kept = [
        placed(tmp_path, "whole.so"),
        placed(tmp_path, "source.cpp", 10),
        placed(tmp_path, "begun.so", 10, age=1.0),
    ]
    assert remove_broken_libraries(tmp_path) == []
    assert all(path.exists() for path in kept)
    assert remove_broken_libraries(tmp_path / "missing") == []
