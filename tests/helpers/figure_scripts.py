"""What the tests of the scripts share: names, written here once more, a tiny preset, and workers without processes."""

from dataclasses import replace

from reproduction.slicing.federation.in_process import Here as InThisProcess
from reproduction.slicing.settings import QUICK, LocalSettings, ModelSettings

TINY = replace(
    QUICK,
    clients=3,
    samples=40,
    test_samples=20,
    rounds=3,
    model=ModelSettings(hidden=(4, 3)),
    local=LocalSettings(epochs=3, tester_batch=16, integration_steps=3),
)

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
        return InThisProcess()

    def __exit__(self, *reason):
        pass
