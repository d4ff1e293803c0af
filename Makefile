# Two commands are enough to start: make run and make test. Both need Go, git and make; make test also
# needs Node.js with npm, Chromium, curl and Python 3, which it installs where it may call apt-get.

BINARY   := bin/otelcol-fanout
LINTER   := bin/golangci-lint
PACKAGES := ./...
GOFILES  := $(shell git ls-files --cached --others --exclude-standard '*.go')

# The race detector needs a C compiler. CI requires it.
RACE := $(shell command -v $$(go env CC) >/dev/null 2>&1 && echo -race)
ifeq ($(CI)$(RACE),true)
$(error CI tests with the race detector, which needs a C compiler)
endif

FUZZTIME  ?= 10s
BENCHTIME ?= 1s

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: run
run: build ## Build, and start with config.yaml
	$(BINARY) --config config.yaml

.PHONY: demo
demo: build ## Send events to two webhooks, and watch them arrive
	go run ./examples/demo -binary $(BINARY)

.PHONY: build
build: ## Build the binary
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o $(BINARY) ./cmd/otelcol-fanout

.PHONY: test
test: build tools ## Test everything, including the built binary
	go vet $(PACKAGES)
	OTELCOL_FANOUT=$(CURDIR)/$(BINARY) go test $(RACE) -timeout 15m $(PACKAGES)

.PHONY: e2e
e2e: build tools ## Test only the built binary
	OTELCOL_FANOUT=$(CURDIR)/$(BINARY) go test -count=1 -v ./test/e2e/...

# What the tests need besides Go: Node.js with npm, Python 3, the SDKs' packages for both, Chromium and curl.
# The tests that need Maven and Java run only if both are installed.
# Missing tools are installed where apt-get may be called.
.PHONY: tools
tools:
	@test/e2e/node/install.sh
	@test/e2e/browser/install.sh
	@test/e2e/python/install.sh
	@for tool in curl python3; do command -v $$tool >/dev/null || \
		{ apt-get update -q && apt-get install -qy --no-install-recommends $$tool; } || exit; done

.PHONY: bench
bench: build ## Run the benchmarks, each next to its reference
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PACKAGES)

.PHONY: fuzz
fuzz: ## Run each fuzz test for FUZZTIME
	@set -e; for file in $$(grep -lE '^func Fuzz' -r --include='*_test.go' .); do \
		for name in $$(grep -oE '^func Fuzz[A-Za-z0-9_]+' $$file | cut -c6-); do \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$(dirname $$file); \
		done; \
	done

.PHONY: lint
lint: $(LINTER) ## Lint the code
	$(LINTER) run $(PACKAGES)

$(LINTER): internal/tools/go.mod internal/tools/go.sum
	cd internal/tools && go build -o $(CURDIR)/$(LINTER) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# The builder generates the whole program. Its command is then replaced by internal/cli, which takes
# the same settings.
MAIN := cmd/otelcol-fanout/main.go
CLI  := github.com/otelcol-fanout/otelcol-fanout/internal/cli
ROOT := github.com/otelcol-fanout/otelcol-fanout

.PHONY: generate
generate: ## Regenerate the generated code
	mkdir -p cmd
	go tool builder --config=builder-config.yaml --skip-get-modules --skip-compilation
	awk '{ sub(/otelcol\.NewCommand\(params\)/, "cli.NewCommand(params, otelcolfanout.DefaultConfig)"); print } \
		/^import \($$/ { print "\totelcolfanout \"$(ROOT)\""; print "\t\"$(CLI)\"" }' $(MAIN) > $(MAIN).new
	grep -q 'cli.NewCommand(params' $(MAIN).new
	mv $(MAIN).new $(MAIN)
	gofmt -w cmd/otelcol-fanout
	go generate $(PACKAGES)

.PHONY: new-backend
new-backend: ## Copy the example exporter to exporter/NAMEexporter: make new-backend NAME=beacon
	@examples/backend/new.sh '$(NAME)'
	go generate ./exporter/$(NAME)exporter
	go test ./exporter/$(NAME)exporter

.PHONY: clean
clean: ## Remove the build output
	rm -rf bin test/e2e/node/node_modules test/e2e/python/.venv
