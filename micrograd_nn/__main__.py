"""`python -m micrograd_nn` is the command `micrograd-nn`."""

import sys

from micrograd_nn.cli import main

sys.exit(main())
