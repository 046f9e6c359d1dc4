# Two commands: `make figures` and `make test`. Each builds .venv first, once.
PYTHON ?= python3
PRESET ?= paper
SEEDS ?= 1
OUT ?= $(if $(filter quick,$(PRESET)),figures/quick,figures)

RUN := .venv/bin/python
FIGURES := $(RUN) -m reproduction.slicing.figures

.PHONY: figures real claims sensitivity regimes comparison xrefine receiver report check-report reference data test lint benchmark benchmark-peers benchmark-attribution benchmark-xrefine benchmark-influence clean

figures: .venv/core
	@set -e; figures=$$($(FIGURES)); for figure in $$figures; do \
		$(RUN) reproduction/$$figure.py --preset $(PRESET) --seeds $(SEEDS) --out $(OUT); \
	done
	$(RUN) reproduction/claims.py --out $(OUT)

# The figures that measured data can give, from a TRACTOR table (data/README.md): make real TRACTOR=table.parquet
real: .venv/core
	@test -n "$(TRACTOR)" || { echo "error: give the table, TRACTOR=path (see data/README.md)" >&2; exit 2; }
	@set -e; figures=$$($(FIGURES) --measured); for slice in eMBB URLLC; do for figure in $$figures; do \
		$(RUN) reproduction/$$figure.py --data "$(TRACTOR)" --schema tractor:$$slice --seeds $(SEEDS) \
			--out figures/real/$$slice; \
	done; done

claims: .venv/core
	$(RUN) reproduction/claims.py --out $(OUT)

# C1-C3 and C8 under every choice that the paper left open; a preset of its own or PRESET=quick, two seeds or SEEDS
sensitivity: PRESET = sensitivity
sensitivity: SEEDS = 2
sensitivity: .venv/core
	$(RUN) reproduction/sensitivity.py --preset $(PRESET) --seeds $(SEEDS) --out $(OUT)

# The confidence of an unconstrained model, forecast and measured; presets as for sensitivity, five seeds or SEEDS. With
# measured tables (data/README.md) their slices stand beside: make regimes TRACTOR=table.parquet RANALYZER=table.parquet
regimes: PRESET = sensitivity
regimes: SEEDS = 5
regimes: .venv/core
	$(RUN) reproduction/regimes.py --preset $(PRESET) --seeds $(SEEDS) --out $(OUT) $(if $(TRACTOR),$(foreach slice,eMBB URLLC,\
		--beside "$(TRACTOR)" tractor:$(slice))) $(if $(RANALYZER),--beside "$(RANALYZER)" ranalyzer)

# The four example methods beside ours; five seeds unless SEEDS is given
comparison: SEEDS = 5
comparison: .venv/core
	$(RUN) -m reproduction.examples --preset $(PRESET) --seeds $(SEEDS) --slices eMBB --out $(OUT)/comparison
	$(RUN) reproduction/compare.py $(OUT)/comparison/examples.csv --against data/reference/$(PRESET) --out $(OUT)/comparison

# The second system, a channel estimator that relevance prunes: five figures and its claims; five seeds or SEEDS
xrefine: SEEDS = 5
xrefine: .venv/phy
	@set -e; for figure in trade_off error_rate relevance deletion complexity; do \
		$(RUN) reproduction/xrefine/fig_$$figure.py --preset $(PRESET) --seeds $(SEEDS) --out $(OUT)/xrefine; \
	done
	$(RUN) reproduction/xrefine/claims.py --out $(OUT)/xrefine

# The third system, a neural receiver and the frames that help it: six figures and its claims; three seeds or SEEDS
receiver: SEEDS = 3
receiver: .venv/phy
	@set -e; for figure in error_rate adaptation learning beneficial several left_out; do \
		$(RUN) reproduction/receiver/fig_$$figure.py --preset $(PRESET) --seeds $(SEEDS) --out $(OUT)/receiver; \
	done
	$(RUN) reproduction/receiver/claims.py --out $(OUT)/receiver

report: .venv/core
	$(RUN) reproduction/report.py --out $(OUT)

# The report in a browser: valid HTML, accessible, nothing too wide. Needs Node, Java and Chromium (CHROMIUM=path)
check-report: report tests/browser/node_modules
	node tests/browser/check_report.cjs $(OUT)/report.html

tests/browser/node_modules: tests/browser/package.json
	npm install --prefix tests/browser --ignore-scripts --no-package-lock --no-audit --no-fund --silent
	touch $@

# The reference curves of both presets, five seeds unless SEEDS is given; prints how far their means moved
reference: SEEDS = 5
reference: .venv/core
	@set -e; for preset in quick paper; do \
		$(RUN) reproduction/reference.py --preset $$preset --seeds $(SEEDS); \
	done

data: .venv/core
	$(RUN) -m reproduction.datasets --out data

test: lint
	$(RUN) -m pytest

lint: .venv/test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

benchmark: .venv/core
	$(RUN) tests/benchmarks/benchmark.py --out figures/benchmark.json

benchmark-peers: .venv/core .venv-jax/ready .venv-fedjax/ready
	$(RUN) tests/benchmarks/peers.py --jax-python .venv-jax/bin/python --fedjax-python .venv-fedjax/bin/python \
		--out figures/benchmark_peers.json

benchmark-attribution: .venv/core .venv-captum/ready
	$(RUN) tests/benchmarks/attribution.py --captum-python .venv-captum/bin/python \
		--out figures/benchmark_attribution.json

benchmark-xrefine: .venv/phy
	$(RUN) tests/benchmarks/xrefine.py --out figures/benchmark_xrefine.json

benchmark-influence: .venv/phy .venv-captum/ready
	$(RUN) tests/benchmarks/influence.py --captum-python .venv-captum/bin/python --out figures/benchmark_influence.json
	$(RUN) tests/benchmarks/receiver.py --out figures/benchmark_receiver.json

clean:
	rm -rf .venv .venv-jax .venv-fedjax .venv-captum

.venv/core: requirements.txt setup.py
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" || \
		{ echo "error: Python 3.11 to 3.13 is needed; name one: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/phy: .venv/core setup.py
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[phy]"
	touch $@

.venv/test: .venv/core tests/requirements.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

.venv-jax/ready: tests/benchmarks/requirements-peers.txt
	$(PYTHON) -m venv .venv-jax
	.venv-jax/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

.venv-fedjax/ready: tests/benchmarks/requirements-peers-fedjax.txt
	$(PYTHON) -m venv .venv-fedjax
	.venv-fedjax/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

.venv-captum/ready: tests/benchmarks/requirements-peers-captum.txt
	$(PYTHON) -m venv .venv-captum
	.venv-captum/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@
