"""Arguments that several commands have, as `--help` shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

Json = Annotated[str | None, tyro.conf.arg(metavar="PATH")]
Picture = Annotated[Path | None, tyro.conf.arg(metavar="FILE.png|svg|pdf")]
