"""What only a machine with a GPU can tell: whether results agree there, whether anything waits, how fast it is.

`python -m experiments.gpu_check` asks it all, from the source tree, in processes of their own; see docs/gpu.md.
"""
