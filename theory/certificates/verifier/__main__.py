"""The verifier as a program, wherever its folder lies: `python verifier CERTIFICATE.json`."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    sys.path.insert(0, str(folder.parent))
    sys.exit(importlib.import_module(folder.name).main(sys.argv[1:]))
