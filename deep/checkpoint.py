"""Checkpoints: tensors with the settings they belong to, in one safetensors file that is whole or absent.

A new file is written beside the old one, flushed to the disc, and put in its place in one motion:
whatever happens in between, one of the two is there and whole. The file's metadata holds the
settings, and a digest of settings and tensors, so that damage is found before anything is loaded.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

VERSION = "1"

_FORMAT = "mbgen.checkpoint"
_KEYS = {"format", "version", "settings", "digest"}


def save(path: Path, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> None:
    """Write a checkpoint in place of the one that is there.

    Args:
        path: The file; its folder exists.
        tensors: By name, on any device; they are as they were afterwards.
        settings: Whose they are; what JSON can hold.

    Raises:
        ValueError: It cannot be written; the previous one is then untouched.
    """
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(dict(settings), sort_keys=True)
    metadata = {
        "format": _FORMAT,
        "version": VERSION,
        "settings": text,
        "digest": digest(held, text),
    }
    part = path.with_name(f"{path.name}.part")
    try:
        save_file(held, part, metadata)
        _flush(part)
        part.replace(path)
        _flush(path.parent)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path} cannot be written: {reason}") from None


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the settings of a checkpoint, on the CPU.

    Raises:
        ValueError: The file cannot be read, is damaged, is no checkpoint, or one of another version.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} is no checkpoint that can be read: {error}") from None
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{path} is no checkpoint of mbgen; accepted: a file that a run wrote")
    if metadata.get("version") != VERSION:
        raise ValueError(
            f"{path} is a checkpoint of version {metadata.get('version')}; accepted: {VERSION}"
        )
    if metadata.keys() != _KEYS or digest(tensors, metadata["settings"]) != metadata["digest"]:
        raise ValueError(f"{path} is damaged: its digest is not that of its contents")
    settings: dict[str, Any] = json.loads(metadata["settings"])
    return tensors, settings


def digest(tensors: Mapping[str, Tensor], settings: str) -> str:
    """SHA-256 over the settings, and over name, type, shape and bytes of each tensor on the CPU."""
    total = hashlib.sha256(settings.encode())
    for name, tensor in sorted(tensors.items()):
        total.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.contiguous().numpy().ravel().data)
    return total.hexdigest()


def _flush(path: Path) -> None:
    """Wait until the disc holds a file, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
