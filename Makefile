# Everything that is done with this repository. `make help` lists it.

GO      ?= go
# Packages of Debian and Ubuntu that the tests need: programs that we did not write, to be tested against.
PACKAGES = iproute2 iputils-ping iputils-arping iptables conntrack tcpdump tshark netsniff-ng curl netcat-openbsd \
           dnsutils traceroute iputils-tracepath mtr-tiny nmap hping3 iperf3 socat nftables ethtool openvswitch-switch net-tools bridge-utils \
           nginx-light postgresql postgresql-client tmux gcc libc6-dev \
           radvd ndisc6 \
           crun uidmap libcap2-bin busybox-static golang-github-containers-common chromium python3

.DEFAULT_GOAL := build
.PHONY: web playground test-web build run test test-race test-predict test-rootless test-kills test-plain test-docker lint cover bench bench-quick peers fuzz packages install dist test-dist module help

# What the binary says of itself, and the day that stands in what is made from it: the commit's, so that anybody gets the same bytes.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
EPOCH   ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
SESSION  = $(shell $(GO) list -m)/cmd/internal/session
LDFLAGS  = -s -w -buildid= -X $(SESSION).release=$(VERSION) -X $(SESSION).commit=$(COMMIT)
RELEASE  = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

build: ## build bin/uswitch, which is static
	CGO_ENABLED=0 $(GO) build -o bin/uswitch ./cmd/uswitch

run: build ## build, and run the lab red-blue: on real network interfaces, or simulated where those cannot be had
	@./bin/uswitch run red-blue || { status=$$?; [ $$status = 125 ] || exit $$status; \
		echo; echo "so, in memory:  uswitch run --sim red-blue"; echo; ./bin/uswitch run --sim red-blue; }

test: packages out/web/node_modules lint ## run every test, those of the packages with the race detector; CI=true makes a missing tool or privilege a failure
	$(GO) test -race -p 2 -timeout 25m ./...

test-race: packages ## run the end-to-end tests once more with a uswitch that is built with the race detector
	USWITCH_RACE=on $(GO) test -race -timeout 40m -skip F41TenThousand ./test

test-predict: packages ## compare what explain says with what a real packet does in 300 random labs (make test: 20)
	USWITCH_PREDICT=300 $(GO) test -v -count=1 -timeout 60m -run TestPredictions ./test

test-rootless: packages ## run the end-to-end tests once more as an ordinary user in a user namespace; it says which cannot be run so, and why
	cd test && USWITCH_USER=on $(GO) test -count=1 -timeout 40m

test-kills: packages ## kill rootless labs at 100 moments of their run, up and down (make test: 20)
	USWITCH_KILLS=100 $(GO) test -v -count=1 -timeout 30m -run TestRootlessKilled ./test

test-plain: packages ## run the end-to-end tests in which frames matter once more, with every frame as on a wire
	USWITCH_OFFLOAD=off $(GO) test -skip '$(NO_TRAFFIC)' ./test

test-docker: packages ## compare with the docker command (version 28, which no package has): give it a lab for its daemon
	$(GO) vet -tags dockercommand ./cmd/internal/docker/client ./test
	$(GO) test -tags dockercommand -count=1 -run 'TestDockerReal|TestDockerItself' ./cmd/internal/docker/client ./test

# End-to-end tests that say nothing about frames.
NO_TRAFFIC = Lesson|Learning|OwnWay|InMemory|Watch|Readme|TopLevel|Imports|Introduced|NobodysMachine|Help|Simulated|Compare|Break$$|Check|Docker(Begins|Terminal|Foreground)|F7[1-35]|F8[345]|F92|F59

# Packages in which nothing may be out of reach of the command and the benchmark.
REACHED = ^uswitch/

lint: ## gofmt, go vet, staticcheck, and deadcode: nothing that only tests reach
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w $$unformatted"; exit 1; fi
	$(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) vet ./cmd/playground
	$(GO) tool staticcheck ./...
	@dead=$$($(GO) tool deadcode -filter '$(REACHED)' ./cmd/uswitch ./test/bench) || exit 1; if [ -n "$$dead" ]; then echo "$$dead"; exit 1; fi

cover: ## run the tests and write how much of the code they run to out/cover.html
	@mkdir -p out
	$(GO) test -p 2 -coverpkg=./... -coverprofile=out/cover ./...
	$(GO) tool cover -html=out/cover -o out/cover.html
	$(GO) tool cover -func=out/cover | tail -1

# What the benchmark measures beside: each is installed by itself, so that what a distribution does not have is only left out.
PEERS   = iproute2 iptables iperf3 sockperf openvswitch-switch vde2 slirp4netns passt rootlesskit uidmap
GVPROXY = github.com/containers/gvisor-tap-vsock/cmd
GVPROXY_VERSION = v0.8.9

bench: peers ## measure everything beside its peers, in turns: out/bench.md, out/bench.svg (root; half an hour)
	$(GO) run ./test/bench

bench-quick: peers ## one short round of what matters most, in less than three minutes (root)
	$(GO) run ./test/bench -quick

peers: out/peers/gvproxy out/peers/vm out/peers/docker-proxy ## install what bench measures beside, and name what cannot be had
	@missing=""; for p in $(PEERS); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; apt-get update -qq; \
		for p in $$missing; do apt-get install -y -qq --no-install-recommends $$p >/dev/null || echo "not to be had: $$p"; done; \
	elif [ -n "$$missing" ]; then echo "not installed:$$missing"; fi

out/peers/gvproxy out/peers/vm: out/peers/%:
	-GOBIN=$(CURDIR)/out/peers $(GO) install $(GVPROXY)/$*@$(GVPROXY_VERSION)

out/peers/docker-proxy: # out of its package, without the daemon
	@mkdir -p out/peers/docker && cd out/peers/docker && apt-get download -qq docker.io 2>/dev/null && \
		dpkg -x docker.io_*.deb . && cp usr/*bin/docker-proxy .. || echo "not to be had: docker-proxy"; rm -rf $(CURDIR)/out/peers/docker

# The page: what is in package-lock.json, bundled by what is in go.mod. The sources of others lie in out, and only the bundle is kept.
PAGE   = cmd/internal/web/page
BUNDLE = --bundle --minify --format=esm --target=es2022 --jsx=automatic --jsx-import-source=preact --legal-comments=none --log-level=warning
web: out/web/node_modules ## make the page that is embedded in uswitch: cmd/internal/web/page/dist (npm)
	rm -rf $(DIST) && mkdir -p $(DIST)
	NODE_PATH='$(CURDIR)/out/web/node_modules' $(GO) tool esbuild $(PAGE)/src/main.jsx $(BUNDLE) --outfile=$(DIST)/app.js
	cp $(PAGE)/src/index.html $(DIST)/index.html
	@for p in preact @preact/signals @preact/signals-core @xterm/xterm @xterm/addon-fit; do \
		echo "== $$p"; echo; cat out/web/node_modules/$$p/LICENSE; echo; done >$(DIST)/LICENSES.txt

playground: ## make out/playground: static files, with uswitch in them, that run labs in a browser: serve them with any web server
	$(GO) run ./cmd/playground out/playground

# What the page is made of, and what its tests judge it with.
out/web/node_modules: $(PAGE)/package.json $(PAGE)/package-lock.json
	@command -v npm >/dev/null || { echo "the page's tests need npm"; exit 0; }; \
	mkdir -p out/web && cp $^ out/web && cd out/web && npm ci --silent --no-audit --no-fund --ignore-scripts && touch node_modules

test-web: packages ## make the page anew, whose bytes must be those that are kept, and try it in a browser
	$(MAKE) --no-print-directory web DIST=out/web/dist
	diff -rq $(PAGE)/dist out/web/dist
	$(GO) test -count=1 -timeout 20m -run TestPage ./test
DIST ?= $(PAGE)/dist

FUZZTIME ?= 30s
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

# Programs only: a policy-rc.d that says no keeps Debian from starting servers that come with them.
packages: ## install what the tests need (root on Debian or Ubuntu), or print how
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; \
		policy=/usr/sbin/policy-rc.d; \
		if [ ! -e $$policy ]; then trap "rm -f $$policy" EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod 755 $$policy; fi; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; \
	else echo "for all tests: sudo apt-get install$$missing"; fi

PREFIX ?= /usr/local
MANUAL  = rm -rf out/install/share && SOURCE_DATE_EPOCH=$(EPOCH) $(GO) run -tags manual ./cmd/uswitch manual out/install/share
install: ## install uswitch, its man pages and completions below PREFIX (/usr/local), in DESTDIR
	$(RELEASE) -o out/install/uswitch ./cmd/uswitch
	$(MANUAL)
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share'
	install -m 755 out/install/uswitch '$(DESTDIR)$(PREFIX)/bin/uswitch'
	cp -R out/install/share/. '$(DESTDIR)$(PREFIX)/share/'

# The machines that binaries are made for, and those that have packages (NFPM's words for them are Go's).
PLATFORMS = linux-amd64 linux-arm64 linux-arm linux-386 darwin-amd64 darwin-arm64 freebsd-amd64
PACKAGED  = amd64 arm64
# Debian wants a digit first.
PACKAGE_VERSION = $(if $(filter v%,$(VERSION)),$(patsubst v%,%,$(subst -,+,$(VERSION))),0+$(subst -,+,$(VERSION)))
NFPM      = $(GO) run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0

dist: ## make out/dist: static binaries for each platform, .deb and .rpm, their checksums; the same bytes wherever it is done
	rm -rf out/dist && mkdir -p out/dist
	for p in $(PLATFORMS); do echo $$p; GOOS=$${p%-*} GOARCH=$${p#*-} $(RELEASE) -o out/dist/uswitch-$(VERSION)-$$p ./cmd/uswitch || exit 1; done
	$(MANUAL)
	gzip -9n out/install/share/man/man1/*.1
	find out/install -exec touch -d @$(EPOCH) {} +
	for a in $(PACKAGED); do cp out/dist/uswitch-$(VERSION)-linux-$$a out/install/uswitch && touch -d @$(EPOCH) out/install/uswitch && for k in deb rpm; do \
		ARCH=$$a VERSION=$(PACKAGE_VERSION) SOURCE_DATE_EPOCH=$(EPOCH) $(NFPM) package -f .nfpm.yaml -p $$k -t out/dist/ || exit 1; done || exit 1; done
	cd out/dist && sha256sum * >SHA256SUMS

test-dist: ## make everything of dist twice and compare, install the package, build the module under another path
	$(GO) test -tags dist -count=1 -timeout 60m -run 'TestDist|TestModule' ./test

# A module is known by its address; go install works once the sources lie under the address of the repository.
module: ## copy the sources to out/module under another module path: make module MODULE=host/owner/uswitch
	@[ -n "$(MODULE)" ] || { echo "make module MODULE=host/owner/uswitch"; exit 2; }
	rm -rf out/module && mkdir -p out/module && git ls-files -z | xargs -0 cp --parents -t out/module
	cd out/module && $(GO) mod edit -module '$(MODULE)' && find . -name '*.go' -exec sed -i 's#"uswitch/#"$(MODULE)/#' {} + && \
		find . -name Makefile -prune -o -name '*.go' -print | xargs gofmt -w && $(GO) build -o /dev/null ./cmd/uswitch

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/' | expand -t 14
