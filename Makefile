VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GO_TOOL  = go tool -modfile=tools/go.mod

.PHONY: build test race lint fmt fuzz bench bench-check bench-baseline man clean

build: ## the static binary
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/kinesyslog ./cmd/kinesyslog

test:
	go test ./...

race:
	go test -race ./...

lint:
	go vet ./...
	@test -z "$$($(GO_TOOL) gofumpt -l .)" || { $(GO_TOOL) gofumpt -l .; echo "gofumpt would change these files: make fmt"; exit 1; }
	$(GO_TOOL) staticcheck ./...

fmt:
	$(GO_TOOL) gofumpt -w .

FUZZTIME ?= 10s
fuzz: ## every fuzz target, one after another
	@set -e; go list ./... | while read -r p; do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p </dev/null; \
	  done; \
	done

bench: ## the micro-benchmarks, with their yardsticks beside them, and what cores share
	@go run ./internal/yardstick/ratios show

bench-check: ## fails if one of ours got slower than .ci/ratios.txt allows, or allocates more
	@go run ./internal/yardstick/ratios check

bench-baseline: ## writes .ci/ratios.txt anew: on a quiet machine, and look at the difference
	@go run ./internal/yardstick/ratios renew

man: build ## man pages into man/
	mkdir -p man && ./bin/kinesyslog man man

clean:
	rm -rf bin man
