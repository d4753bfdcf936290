"""`python -m experiments` is `mbgen`."""

import sys

from experiments.cli import main

sys.exit(main())
