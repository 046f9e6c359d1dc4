"""Packaging of the reproduction; `pip install .` gives `import reproduction` from anywhere."""

from pathlib import Path

from setuptools import find_packages, setup

CORE = [
    "tensorflow>=2.18",
    "tensorflow-constrained-optimization==0.2",
    "shap>=0.46",
    "scipy>=1.15",
    "numpy>=2.0",
    "pandas>=2.2",
    "matplotlib>=3.9",
    "rich>=13,<15",
    "pyarrow>=17",
    "filelock>=3.15",
    "jinja2>=3.1",
    "tensorboard>=2.18",
    "pydantic>=2.9",
    "typing-extensions>=4.12",
]
PHY = [
    "sionna-no-rt==1.2.2",
    "importlib_resources>=6.4",
]
"""For `reproduction.ofdm.link`; the last line of Sionna that stands on TensorFlow."""

TEST = [
    "pytest>=8",
    "hypothesis>=6.100",
    "scikit-learn>=1.5",
    "threadpoolctl>=3",
    "html5lib>=1.1",
    "ruff>=0.6",
    "mypy>=1.11",
]

setup(
    name="explainable-fl-ran-slicing",
    version="0.2.0",
    description="Reference reproduction of explanation-guided federated learning for 6G RAN slicing",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["reproduction", "reproduction.*"]),
    package_data={
        "reproduction": ["py.typed", "results/*.mplstyle", "slicing/reporting/*.j2", "slicing/reporting/*.css"]
    },
    install_requires=CORE,
    extras_require={"phy": PHY, "test": TEST},
    classifiers=["Programming Language :: Python :: 3", "Topic :: Scientific/Engineering"],
)
