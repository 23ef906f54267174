# Thin on purpose: a recipe that needs more than a line or two is a script in .ci/ or contrib/.
PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
RELEASE := target/$(HOST)/release/sampan

.PHONY: build lint test unit it guest install ci
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

install: build ## The binary, and what goes with it.
	install -D -m 0755 $(RELEASE) $(DESTDIR)$(PREFIX)/bin/sampan

ci: ## What continuous integration runs.
	.ci/run
