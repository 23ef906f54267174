# Thin on purpose: a recipe that needs more than a line or two is a script in .ci/ or contrib/.
PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
RELEASE := target/$(HOST)/release/sampan

.PHONY: demo build lint test unit it guest fault storm powercut blackout fuzz bench man install ci
demo: ## A first container, from a fresh clone.
	contrib/demo

build: ## The release binary, static.
	$(CARGO) build --release
	@ls -l $(RELEASE)

lint: ## Format, clippy, licences and advisories.
	.ci/lint

test: ## Everything: unit and integration tests as an ordinary user, then the guest.
	.ci/test all

unit: ## Unit tests alone.
	.ci/test unit

it: ## Integration tests alone (T=name runs those whose name contains it).
	.ci/test it $(T)

guest: ## The tests that need systemd and cgroup v2, in a virtual machine.
	.ci/test guest

fault: ## A kill and every fitting error at every system call of every verb (eighty minutes; it goes on where it was stopped; T=kills::run for one).
	tests/fault/run '$(T)'

powercut: ## Power cuts on a file system of its own, as root (N=300 of them).
	$(CARGO) build --quiet
	tests/powercut/run $(or $(N),300)

blackout: ## Power cuts of a whole machine: the guest is killed, its disk forgets, it boots again (N=24 of them).
	$(CARGO) build --quiet
	tests/guest/powercut $(or $(N),24)

storm: ## Many at once, and the same thing a thousand times: nothing may be left.
	SAMPAN_TEST_STORM=1 .ci/test it system::killstorm
	SAMPAN_TEST_STORM=1 .ci/test it system::storm
	SAMPAN_TEST_STORM=1 .ci/test it system::soak

fuzz: ## Every parser and the layer applier under libFuzzer, ten minutes each (T=name one of them, S=seconds).
	fuzz/run $(if $(T),$(T) -max_total_time=$(or $(S),600),long $(or $(S),600))

bench: build ## Figures against Podman, crun, bwrap, skopeo and a bare floor program; writes docs/bench.
	contrib/bench/run --publish

man: ## Manual pages and completions anew, from the command definitions.
	UPDATE=1 $(CARGO) test --quiet --test generated

install: build ## The binary, manual pages, completions.
	install -D -m 0755 $(RELEASE) $(DESTDIR)$(PREFIX)/bin/sampan
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 man/*.1
	install -D -m 0644 completions/sampan.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/sampan
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/zsh/site-functions completions/_sampan
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d completions/sampan.fish

ci: ## What continuous integration runs.
	.ci/run
