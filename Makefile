# Thin on purpose: meson builds, scripts/ does the rest.
.PHONY: all deps run check check-kernel bench fuzz plugin install deb clean
PREFIX ?= /usr/local
# One program of many small files: let the optimiser see them together.
RELEASE = -Db_lto=true -Doptimization=3

all:
	@SPIMEND_BUILD_TARGETS="spimend spimendd" scripts/as-user scripts/build build $(RELEASE)

deps:
	@scripts/deps check

run:
	@scripts/run $(RELEASE)

check: deps
	@scripts/check

# The kernel's own ESP as Debian has it, under QEMU: minutes, and 70 MB to be downloaded once.
check-kernel:
	@scripts/deps kernel
	@scripts/check kernel

bench: all
	@SPIMEND_BUILD_TARGETS="bench/loggen bench/measure bench/pcapgen" scripts/as-user scripts/build build $(RELEASE)
	@scripts/as-user bench/analyze
	@scripts/as-user bench/audit
	@scripts/deps bench || echo "bench/pcap, bench/lookup and bench/eem go on with what is here"
	@scripts/as-user bench/pcap
	@SPIMEND_BUILD_TARGETS="bench/lookup bench/eem bench/recorder" scripts/as-user scripts/build build $(RELEASE)
	@scripts/as-user build/bench/lookup
	@scripts/as-user build/bench/eem
	@scripts/as-user build/bench/recorder
	@SPIMEND_BUILD_TARGETS="bench/sensor bench/flood bench/ingest bench/sessions" scripts/as-user scripts/build build $(RELEASE)
	@if [ "$$(id -u)" -eq 0 ]; then build/bench/sensor && scripts/deps lab && bench/forged && bench/ingest && bench/sessions && bench/web; \
	else echo "bench/sensor, bench/forged, bench/ingest, bench/sessions and bench/web are left out: they need root"; fi

fuzz:
	@scripts/deps check
	@scripts/as-user scripts/check-fuzz --seconds $${FUZZ_SECONDS:-300}

# For charon, GPL-2.0-or-later: never part of the rest. Prints where it lies; doc/plugin-protocol.md says what it does.
plugin:
	@scripts/as-user plugin/build

install:
	@SPIMEND_BUILD_TARGETS="spimend spimendd" scripts/as-user scripts/build build $(RELEASE) --prefix="$(PREFIX)"
	@DESTDIR="$(DESTDIR)" meson install -C build --no-rebuild && scripts/as-user true # the log of it becomes the user's

# Debian packages, into build-packages/.
deb:
	@scripts/deps deb
	@scripts/as-user scripts/deb

clean:
	rm -rf build build-check build-gcc build-clang build-fuzz build-plugin build-kernel build-beside build-packages
