"""A checkpoint comes back as it was, or is refused; the one before survives every failure."""

import resource
import signal
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from deep.checkpoint import load, save

SETTINGS = {"agent": "er", "seeds": [0, 1], "step_sizes": [1e-4, 2e-4]}


def some_tensors():
    return {
        "floats": torch.tensor([[1.5, float("nan")], [-0.0, float("inf")]]),
        "bytes": torch.arange(12, dtype=torch.uint8).view(3, 4),
        "flags": torch.tensor([True, False]),
        "steps": torch.tensor(2**40),
        "nothing": torch.zeros(0, 3),
        "no_steps": torch.from_numpy(np.zeros(0, np.int64)),
    }


def same_bits(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype
        and one[name].shape == other[name].shape
        and one[name].numpy().tobytes() == other[name].numpy().tobytes()
        for name in one
    )


@contextmanager
def files_no_longer_than(size):
    """A disc that is full after so many bytes of a file: the write itself fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_what_was_saved_is_loaded_bit_for_bit(tmp_path):
    path = tmp_path / "state.safetensors"
    save(path, some_tensors(), SETTINGS)
    tensors, settings = load(path)
    assert same_bits(tensors, some_tensors())
    assert settings == SETTINGS
    assert [file.name for file in tmp_path.iterdir()] == ["state.safetensors"]


def test_views_and_transposed_tensors_are_saved_by_their_values(tmp_path):
    whole = torch.arange(6.0).view(2, 3)
    save(tmp_path / "state", {"row": whole[1], "turned": whole.T}, {})
    tensors, _ = load(tmp_path / "state")
    assert torch.equal(tensors["row"], whole[1])
    assert torch.equal(tensors["turned"], whole.T)


def test_another_library_reads_the_same_tensors(tmp_path):
    save(tmp_path / "state", some_tensors(), SETTINGS)
    assert same_bits(load_file(tmp_path / "state"), some_tensors())


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "state"
    save(path, some_tensors(), SETTINGS)
    return path


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_found(checkpoint, place, bit):
    whole = bytearray(checkpoint.read_bytes())
    whole[place % len(whole)] ^= 1 << bit
    damaged = checkpoint.with_name("flipped")
    damaged.write_bytes(whole)
    with pytest.raises(ValueError, match="flipped") as refusal:
        load(damaged)
    assert "\n" not in str(refusal.value)


@given(length=st.integers(0, 10_000))
def test_a_truncated_file_is_refused(checkpoint, length):
    whole = checkpoint.read_bytes()
    damaged = checkpoint.with_name("truncated")
    damaged.write_bytes(whole[: length % len(whole)])
    with pytest.raises(ValueError, match="truncated is no checkpoint that can be read"):
        load(damaged)


def test_a_foreign_file_is_refused(tmp_path):
    save_file(some_tensors(), tmp_path / "foreign")
    with pytest.raises(ValueError, match="foreign is no checkpoint of mbgen"):
        load(tmp_path / "foreign")
    with pytest.raises(ValueError, match="absent is no checkpoint that can be read"):
        load(tmp_path / "absent")


def test_another_version_is_refused_by_its_number(tmp_path):
    metadata = {"format": "mbgen.checkpoint", "version": "2", "layout": "new"}
    save_file(some_tensors(), tmp_path / "newer", metadata)
    with pytest.raises(ValueError, match="checkpoint of version 2; accepted: 1"):
        load(tmp_path / "newer")


def test_a_full_disc_leaves_the_checkpoint_before(tmp_path):
    path = tmp_path / "state"
    save(path, some_tensors(), SETTINGS)
    larger = {"floats": torch.zeros(100_000)}
    with files_no_longer_than(50_000), pytest.raises(ValueError, match="cannot be written") as no:
        save(path, larger, SETTINGS)
    assert "\n" not in str(no.value)
    assert same_bits(load(path)[0], some_tensors())
    assert [file.name for file in tmp_path.iterdir()] == ["state"]
    save(path, larger, SETTINGS)
    assert same_bits(load(path)[0], larger)
