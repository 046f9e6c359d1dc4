"""What the tests of the figure scripts share: their names, written here once more, and workers without processes."""

from reproduction.federation.in_process import run_here

NAMES = (
    "fig4_convergence",
    "fig5_confidence",
    "fig6_attributions",
    "fig7_convergence_time",
    "fig8_scalability",
    "table4_overhead",
)


class Here:
    """`Workers` that run in this process; a worker's start would cost seconds per script."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        return run_here

    def __exit__(self, *reason):
        pass
