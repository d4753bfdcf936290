"""Standard output that cannot stop the work: a reader that leaves, a full disc, letters it does not know."""

from __future__ import annotations

import os
from typing import Any, TextIO


class LastingOutput:
    """A text stream whose failures are kept instead of raised.

    Attributes:
        failure: The first error of the stream, after which nothing more is written; None while all is well.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        """Write the text, with a question mark for each character that the stream's encoding lacks."""
        if self.failure is None:
            try:
                self._write_what_can_be(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        if self.failure is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def _write_what_can_be(self, text: str) -> None:
        try:
            self._stream.write(text)
        except UnicodeEncodeError as error:
            self._stream.write(text.encode(error.encoding, "replace").decode(error.encoding))

    def _give_up(self, error: OSError) -> None:
        """Keep the error, and send what the stream still holds nowhere: the interpreter's end would fail on it."""
        self.failure = error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
