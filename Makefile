# On a fresh Debian 12, as root, every target sets up what it needs; `make help` lists them.

SIZE ?= 4096
PYTHON ?= /usr/bin/python3
QGIS_PROFILE ?= default
# Where the screenshots' product lies: a path short enough for a picture.
SHOWN ?= /var/tmp/demo
PLUGINS = $(or $(XDG_DATA_HOME),$(HOME)/.local/share)/QGIS/QGIS3/profiles/$(QGIS_PROFILE)/python/plugins
VERSION = $(shell sed -n 's/^version=//p' metadata.txt)
ZIP = dist/bandwise-$(VERSION).zip

PACKAGES = qgis python3-qgis python3-rasterio python3-venv pyqt5-dev-tools xvfb xauth fonts-dejavu-core git ca-certificates
PIP = pip==26.3
# Where `make matrix` keeps its Debians: 3 GB each.
CHROOTS ?= build/chroots
# Tests for Python 3.9; the developers' scripts need a newer one.
PURE = -m pure --ignore=tests/integration --ignore=tests/scripts
# Two tests at a time on two cores; tests of one file stay together, in the order of tests/conftest.py.
PARALLEL ?= --numprocesses=auto --dist=loadfile --no-loadscope-reorder
# All tests run in the system's QGIS; again those whose answer is a backend's, or a newer library's.
BACKEND = -m "not one_backend and not slow"
NEWEST = -m "not pure and not slow" --ignore=tests/integration --ignore=tests/scripts --ignore=tests/test_translations.py
# What depends on the system: see docs/platforms.md.
WRITING = tests/engine/writing tests/engine/files tests/engine/execution tests/engine/planning/test_bad_output.py tests/test_consoles.py
ROOT = $(if $(filter-out 0,$(shell id -u)),sudo )

# QGIS's Python finds its library through the first python3 on the PATH: not a pyenv's or a venv's.
export PATH := $(dir $(PYTHON)):$(PATH)
# Where bytecode is not written, each process that a test starts compiles the engine again.
unexport PYTHONDONTWRITEBYTECODE
# Qt needs no display for anything but screenshots, and a private folder for its sockets.
export QT_QPA_PLATFORM ?= offscreen
export XDG_RUNTIME_DIR ?= $(CURDIR)/build/run

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help check demo demo-cluster test stress lint package check-package install check-site release screenshots translations corpus peers-indices matrix pure bench bench-options bench-cluster bench-composite bench-hotspots clean system

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: | system ## NDVI of a Sentinel-2-like product of SIZE (4096) pixels a side, with a picture of it
	$(PYTHON) -m demo build/demo --size $(SIZE)

demo-cluster: | system ## a run in parts on two processes, one killed in the middle, compared with a single run
	$(PYTHON) -m demo.cluster build/demo-cluster --size $(SIZE)

test: .venv/ready .venv-newest/ready .venv-qt6/ready build/wheel/ready ## all tests in the system's QGIS on both backends, as on Windows and macOS, with the newest rasterio, and Qt's on Qt 6
	@status=0; set -x; \
	.venv/bin/python -m pytest $(PARALLEL) || status=1; \
	BANDWISE_BACKEND=gdal .venv/bin/python -m pytest $(PARALLEL) $(BACKEND) || status=1; \
	BANDWISE_SYSTEM=windows BANDWISE_BACKEND=gdal .venv/bin/python -m pytest $(PARALLEL) $(WRITING) || status=1; \
	BANDWISE_SYSTEM=macos .venv/bin/python -m pytest $(PARALLEL) tests/engine/writing || status=1; \
	[ ! -e .venv-newest/ready ] || .venv-newest/bin/python -m pytest $(PARALLEL) $(NEWEST) || status=1; \
	.venv-qt6/bin/python -m pytest --confcutdir=tests/qt6 tests/qt6 || status=1; \
	exit $$status

check: lint build/wheel/ready ## lint and fast tests, in under a minute
	.venv/bin/python -m pytest -q $(PARALLEL) tests/test_layout.py tests/test_translations.py tests/engine/backend tests/engine/compute/test_operation.py \
		tests/engine/writing/test_sink.py tests/engine/execution/test_executor.py tests/engine/test_messages.py tests/integration/test_border.py tests/scripts
	BANDWISE_BACKEND=gdal .venv/bin/python -m pytest -q $(PARALLEL) tests/engine/compute/test_operation.py tests/engine/writing/test_sink.py tests/engine/execution/test_executor.py

stress: PACKAGES += gdal-bin python3-gdal
stress: .venv/ready .venv-newest/ready ## kills, full disks, damaged files, random jobs in full (25 minutes); writes docs/guarantees.md (SEED=, STRESS="-k kill")
	@rm -rf build/stress; seed=$${SEED:-$$(date +%s)}; echo "Seed $$seed"; status=0; \
	for environment in .venv .venv-newest; do \
		[ -e $$environment/ready ] || continue; \
		BANDWISE_STRESS=full BANDWISE_SEED=$$seed BANDWISE_STRESS_REPORT=build/stress/$${environment#.}.json \
			$$environment/bin/python -m pytest -q tests/stress $(STRESS) || status=1; \
	done; \
	.venv/bin/python tests/stress/guarantees.py build/stress/*.json || status=1; \
	exit $$status

matrix: PACKAGES += gdal-bin python3-gdal debootstrap
matrix: .venv/ready .venv-oldest/ready ## as root: all tests in chroots of newer Debians, pure ones on Python 3.9; writes docs/platforms.md (MATRIX="forky-*", CHROOTS=)
	.venv/bin/python -m scripts.matrix --chroots "$(CHROOTS)" --packages "$(filter-out debootstrap,$(PACKAGES))" --pip "$(PIP)" \
		--pytest="-q --tb=short $(PARALLEL)" --pure="$(PURE)" $(MATRIX)

pure: .venv-oldest/ready ## tests of text and numbers alone, on Python 3.9 and its oldest numpy
	.venv-oldest/bin/python -m pytest $(PARALLEL) $(PURE)

lint: .venv/ready build/lint/bandwise ## ruff, mypy, flake8-qgis, QGIS's rules for Qt 6 and bandit
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/mypy demo/*.py scripts/*.py scripts/indices/*.py scripts/matrix/*.py benchmarks/*.py \
		benchmarks/contenders/*.py benchmarks/reporting/*.py benchmarks/studies/*.py
	MYPYPATH=benchmarks/peers .venv/bin/mypy benchmarks/peers/*.py
	.venv/bin/mypy --config-file tests/mypy.ini $$(find tests -name '*.py')
	.venv/bin/flake8 --select QGS --extend-ignore QGS105,QGS201,QGS202 algorithms gui plugin.py
	.venv/bin/flake8 --select QGS4 engine cluster demo scripts tests
	.venv/bin/python -m scripts.qt6_rules __init__.py plugin.py algorithms gui engine cluster demo scripts tests/integration
	.venv/bin/bandit --quiet --recursive engine algorithms gui cluster plugin.py

package: | system ## the zip for the plugin site, from the last commit
	mkdir -p dist
	git archive --prefix=bandwise/ --output=$(ZIP) HEAD
	$(PYTHON) -m scripts.check_package --contents $(ZIP)

check-package: package ## run the zip in a fresh profile; install, upgrade and uninstall it with QGIS's plugin installer
	$(PYTHON) -m scripts.check_package $(ZIP)

check-site: package .venv-site/ready ## the plugin site's scanners on the zip, and qgis-plugin-analyzer
	.venv-site/bin/python -m scripts.check_site $(ZIP)

release: | system ## set version, changelog and addresses for a release (RELEASE=0.2.0)
	$(PYTHON) -m scripts.release "$(RELEASE)"

install: package ## put the zip's contents into your QGIS profile (QGIS_PROFILE=default)
	mkdir -p "$(PLUGINS)"
	rm -rf "$(PLUGINS)/bandwise"
	$(PYTHON) -m zipfile -e $(ZIP) "$(PLUGINS)"
	@echo "Installed in $(PLUGINS)/bandwise; tick Bandwise in QGIS under Plugins > Manage and Install Plugins."

screenshots: | system ## pictures of the real QGIS window for the README
	$(PYTHON) -m demo.scene $(SHOWN) --size $(SIZE)
	QT_QPA_PLATFORM=xcb DEMO_PRODUCT="$$(echo $(SHOWN)/S2*.SAFE)" \
		timeout 300 xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" \
		$(PYTHON) -m scripts.qgis_profile build/screenshots . qgis.bin --nologo --noversioncheck --code demo/screenshots.py

translations: | system ## collect the sentences to translate
	mkdir -p resources/i18n
	rm -rf build/sentences
	$(PYTHON) -m scripts.sentences build/sentences >/dev/null
	cd build/sentences && pylupdate5 $$(find . -name '*.py' | sort) -ts ../../resources/i18n/bandwise.ts

corpus: PACKAGES += gdal-bin otb-bin
corpus: | system ## ask QGIS, gdal_calc.py and OTB BandMath for the answers to the corpus of expressions
	$(PYTHON) tests/corpus/oracle.py

peers-indices: PACKAGES += python3-gdal grass-core otb-bin
peers-indices: | system ## ask i.vi of GRASS and RadiometricIndices of OTB for the indices that ours are held to
	$(PYTHON) -m scripts.indices.ask_peers

bench: PACKAGES += gdal-bin otb-bin rasterio python3-gdal
bench: .venv-bench/ready | system ## measure against QGIS, GDAL, OTB and dask (BENCH="--case 1 --size 4096"; BENCH_CHROOT: newer tools)
	$(PYTHON) -m benchmarks.bench $(BENCH)

bench-options: | system ## measure codecs, levels, predictors and tile sizes of the result (BENCH="--tile 512 --size 4096")
	$(PYTHON) -m benchmarks.studies.creation_options $(BENCH)

bench-cluster: .venv/ready | system ## what runs in parts cost beside a single run and their forecast (BENCH="--size 4096 --only runs")
	.venv/bin/python -m benchmarks.studies.cluster $(BENCH)

bench-composite: PACKAGES += rasterio
bench-composite: .venv-bench/ready | system ## measure the median of 24 scenes against xarray and dask (BENCH="--scenes 6 --rounds 1")
	$(PYTHON) -m benchmarks.studies.composite $(BENCH)

bench-hotspots: | system ## where the engine's CPU time goes, by library and system call (after bench; needs linux-perf)
	$(PYTHON) -m benchmarks.studies.hotspots $(BENCH)

clean: ## remove everything that the other targets made
	rm -rf build dist .venv .venv-newest .venv-oldest .venv-qt6 .venv-site .venv-bench .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian's packages: installed where one is missing.
system:
	@install -d -m 700 "$(XDG_RUNTIME_DIR)"
	@command -v dpkg-query >/dev/null || { echo "This is no Debian: see that QGIS >= 3.22 and its Python's rasterio are installed."; exit 0; }; \
	missing=; for package in $(PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}\n' $$package 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	[ -z "$(ROOT)" ] || command -v sudo >/dev/null || { echo "Ask an administrator to run: apt-get install$$missing" >&2; exit 1; }; \
	set -ex; \
	$(ROOT)apt-get update -q; \
	$(ROOT)env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing

# QGIS, rasterio and numpy come from the system, the tools from pyproject.toml.
.venv/ready: pyproject.toml | system
	rm -rf .venv
	$(PYTHON) -m venv --system-site-packages .venv
	.venv/bin/python -m pip install -q $(PIP)
	.venv/bin/python -m pip install -q --group system --group lint --group cluster
	touch $@

# A Python that is on the PATH may still be a shim that starts nothing: each is tried.
.venv-newest/ready: pyproject.toml | system
	@rm -rf .venv-newest; mkdir .venv-newest; \
	for python in python3.14 python3.13 python3.12 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.1[2-9]*/bin/python; do \
		"$$python" -c 'import sys, venv; assert sys.version_info >= (3, 12)' 2>/dev/null || continue; \
		set -ex; \
		"$$python" -m venv .venv-newest; \
		.venv-newest/bin/python -m pip install -q $(PIP); \
		.venv-newest/bin/python -m pip install -q --group newest; \
		touch $@; exit; \
	done; \
	rm -rf .venv-newest; echo "No Python >= 3.12 was found: the engine's tests are not run again with the newest rasterio."

# The last pip that runs on Python 3.9.
.venv-oldest/ready: pyproject.toml | system
	@rm -rf .venv-oldest; \
	for python in python3.9 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.9*/bin/python; do \
		"$$python" -c 'import sys, venv; assert sys.version_info[:2] == (3, 9)' 2>/dev/null || continue; \
		set -ex; \
		"$$python" -m venv .venv-oldest; \
		.venv-oldest/bin/python -m pip install -q pip==26.0.1; \
		.venv-oldest/bin/python -m pip install -q --only-binary :all: --group oldest; \
		touch $@; exit; \
	done; \
	echo "No Python 3.9 was found: install one, for example by pyenv install 3.9." >&2; exit 1

# An environment without the system's packages, from the group of its name.
.venv-qt6/ready .venv-site/ready .venv-bench/ready: .venv-%/ready: pyproject.toml | system
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install -q $(PIP)
	$(@D)/bin/python -m pip install -q --group $*
	touch $@

# rasterio as pip installs it, for tests that put it beside the system's GDAL.
build/wheel/ready: pyproject.toml .venv/ready
	rm -rf $(@D)
	.venv/bin/python -m pip install -q --target $(@D) --no-deps --group wheel
	touch $@

# mypy has to see the checkout under the plugin's name, whatever its folder is called.
build/lint/bandwise:
	mkdir -p $(@D)
	ln -s ../.. $@
