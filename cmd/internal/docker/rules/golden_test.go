package rules_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uswitch/cmd/internal/docker/rules"
	"uswitch/nat/rule"
)

// goldenFiles is how many rule sets of the real dockerd there are.
const goldenFiles = 260

// TestDockersOwnRules builds the scene of every file of shared/data/docker-rules, compares line by line, and takes it down
// again.
func TestDockersOwnRules(t *testing.T) {
	root := sharedData(t, "docker-rules")
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*.rules"))
	if err != nil || len(files) != goldenFiles {
		t.Fatalf("%s has %d files (%v), want %d", root, len(files), err, goldenFiles)
	}
	for _, file := range files {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := sceneOf(t, name)
			s.compare(t, string(text))
			loadable(t, s.family, string(text))
		})
	}
}

// scene is what the name of a file says.
type scene struct {
	family  rule.Family
	started bool // no.rules is before dockerd's start
	empty   bool // cleaned is without the network
	daemon  rules.Daemon
	network rules.Network
	port    rules.Port
}

// sceneOf reads a name such as 28/ipv4/hairpin=false,internal=true,icc=false.rules. What it does not say does not matter.
func sceneOf(t *testing.T, name string) scene {
	t.Helper()
	dialect, rest, _ := strings.Cut(name, string(filepath.Separator))
	family, base, _ := strings.Cut(rest, string(filepath.Separator))
	words := map[string]string{}
	for word := range strings.SplitSeq(strings.TrimSuffix(base, ".rules"), ",") {
		key, value, _ := strings.Cut(word, "=")
		words[key] = value
	}
	yes := func(key string) bool { return words[key] == "true" }
	_, no := words["no"]
	_, cleaned := words["cleaned"]
	s := scene{
		started: !no,
		empty:   cleaned,
		daemon: rules.Daemon{
			Dialect:       map[string]rules.Dialect{"28": rules.Classic, "29": rules.Docker29}[dialect],
			UserlandProxy: !yes("hairpin"),
		},
		network: rules.Network{
			Bridge: "br-dummy", Internal: yes("internal"), ICC: yes("icc"),
			Masquerade: yes("masq"), GatewayMode: rules.GatewayMode(words["gwm"]),
		},
		port: rules.Port{Proto: "tcp", HostPort: 8080},
	}
	switch family {
	case "ipv4":
		s.family = rule.IPv4
		s.network.Subnet = netip.MustParsePrefix("192.168.0.0/24")
		s.port.To = netip.MustParseAddrPort("192.168.0.2:80")
	case "ipv6":
		s.family = rule.IPv6
		s.network.Subnet = netip.MustParsePrefix("fd49:efd7:54aa::/64")
		s.port.To = netip.MustParseAddrPort("[fd49:efd7:54aa::1]:80")
	default:
		t.Fatalf("%s: no family of addresses", name)
	}
	if yes("snat") {
		s.network.HostIP = netip.MustParseAddr(map[string]string{"ipv4": "192.168.123.0", "ipv6": "fd34:d0d4:672f::123"}[family])
	}
	if yes("bindlh") {
		s.port.HostIP = netip.MustParseAddr(map[string]string{"ipv4": "127.0.0.1", "ipv6": "::1"}[family])
	}
	return s
}

// compare builds the scene up, compares with the text, and takes it down.
func (s scene) compare(t *testing.T, want string) {
	h := newHost(t, s.family, s.daemon)
	if s.started {
		h.start()
	}
	clean := h.save()
	if s.empty || !s.started {
		same(t, clean, want)
		return
	}
	h.addNetwork(s.network)
	h.addEndpoint(s.network.Bridge, s.port.To.Addr())
	h.addPorts(s.network.Bridge, s.port)
	same(t, h.save(), want)

	h.removePorts(s.network.Bridge, s.port)
	h.removeEndpoint(s.network.Bridge, s.port.To.Addr())
	h.removeNetwork(s.network.Bridge)
	same(t, h.save(), clean)
}

// loadable checks that our own iptables-restore takes the file as it is.
func loadable(t *testing.T, f rule.Family, text string) {
	t.Helper()
	tables := rule.NewTables(f)
	if err := tables.Restore(strings.NewReader(text), rule.RestoreOptions{}); err != nil {
		t.Errorf("iptables-restore: %v", err)
	}
	same(t, tables.Snapshot().Save(rule.SaveOptions{}), text)
}

// sharedData finds shared/data/NAME beside the repository, or beside one of the directories above it.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		data := filepath.Join(dir, "shared", "data", name)
		if _, err := os.Stat(data); err == nil {
			return data
		}
		above := filepath.Dir(dir)
		if above == dir {
			missing(t, "shared/data/%s is in no directory above this one", name)
		}
		dir = above
	}
}
