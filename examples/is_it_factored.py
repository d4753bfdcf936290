"""What a factored model saves in a maze, and how well the maze can be solved at all.

It prints:

    a table needs 11 times as many numbers
    best expected return in 100 steps: -1.88
    of the random policy: -5.95
"""

from tabular import ProcMaze, enumerate_factors, factored_structure, reference_performance

maze = ProcMaze(grid_size=2)
structure = factored_structure(enumerate_factors(maze))
times = structure.table_parameters / structure.factored_parameters
print(f"a table needs {times:.0f} times as many numbers")
for words, policy in (
    ("best expected return in 100 steps:", "optimal"),
    ("of the random policy:", "uniform"),
):
    print(words, f"{reference_performance(maze, policy).value:.2f}")
