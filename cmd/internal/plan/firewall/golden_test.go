package firewall_test

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

var update = flag.Bool("update", false, "write the expected rule sets anew")

// TestExpectedRules builds scenes of both generations of Docker's rules, compares each with testdata line by line, and takes
// it down again.
func TestExpectedRules(t *testing.T) {
	for _, dialect := range []string{"28", "29"} {
		for _, family := range []string{"ipv4", "ipv6"} {
			t.Run(dialect+"-"+family, func(t *testing.T) { expectedRules(t, dialect, family) })
		}
	}
}

func expectedRules(t *testing.T, dialect, family string) {
	file := filepath.Join("testdata", dialect+"-"+family+".txtar")
	names := sceneNames()
	if *update {
		made := &txtar.Archive{Comment: []byte("What `go test -update` of this package writes: rule sets by the names that sceneOf reads.\n")}
		for _, name := range names {
			h, _ := sceneOf(t, dialect, family, name).build(t)
			made.Files = append(made.Files, txtar.File{Name: name, Data: []byte(h.save())})
		}
		if err := os.WriteFile(file, txtar.Format(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a, err := txtar.ParseFile(file)
	if err != nil || len(a.Files) != len(names) {
		t.Fatalf("%s: %d scenes, %v: want %d", file, len(a.Files), err, len(names))
	}
	for i, f := range a.Files {
		t.Run(f.Name, func(t *testing.T) {
			if f.Name != names[i] {
				t.Fatalf("want %s here", names[i])
			}
			s := sceneOf(t, dialect, family, f.Name)
			s.compare(t, string(f.Data))
			loadable(t, s.family, string(f.Data))
		})
	}
}

// sceneNames are a machine before dockerd and without the network, and a network with each choice and each pair of choices
// that is not the usual one.
func sceneNames() []string {
	names := []string{"no", "cleaned,hairpin=false", "cleaned,hairpin=true"}
	for _, hairpin := range []string{"false", "true"} {
		for _, icc := range []string{"false", "true"} {
			names = append(names, fmt.Sprintf("hairpin=%s,internal=true,icc=%s", hairpin, icc))
		}
	}
	usual := "hairpin=false,internal=false,icc=true,masq=true,snat=false,gwm=nat,bindlh=false"
	others := []string{"hairpin=true", "icc=false", "masq=false", "snat=true", "gwm=routed", "gwm=nat-unprotected", "bindlh=true"}
	names = append(names, usual)
	for i, one := range others {
		names = append(names, with(usual, one))
		for _, two := range others[i+1:] {
			if name := with(with(usual, one), two); strings.Contains(name, one) { // both choose the gateway's mode
				names = append(names, name)
			}
		}
	}
	return names
}

// with replaces one choice in a scene's name.
func with(name, choice string) string {
	key, _, _ := strings.Cut(choice, "=")
	words := strings.Split(name, ",")
	for i, word := range words {
		if strings.HasPrefix(word, key+"=") {
			words[i] = choice
		}
	}
	return strings.Join(words, ",")
}

// originals is how many rule sets of the real dockerd there are.
const originals = 260

// TestDockersOwnRules does the same with every file of shared/data/docker-rules, what the real dockerd has made, wherever that
// lies beside the repository.
func TestDockersOwnRules(t *testing.T) {
	root, ok := sharedData(t, "docker-rules")
	if !ok {
		return // what the repository holds has been compared
	}
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*.rules"))
	if err != nil || len(files) != originals {
		t.Fatalf("%s has %d files (%v), want %d", root, len(files), err, originals)
	}
	for _, file := range files {
		rest, base := filepath.Split(file)
		rest, family := filepath.Split(filepath.Clean(rest))
		dialect := filepath.Base(rest)
		t.Run(dialect+"-"+family+"/"+base, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := sceneOf(t, dialect, family, strings.TrimSuffix(base, ".rules"))
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
	daemon  firewall.Daemon
	network firewall.Network
	port    firewall.Port
}

// sceneOf reads a name such as hairpin=false,internal=true,icc=false, for Docker 28 or 29 and ipv4 or ipv6. What it does not
// say does not matter.
func sceneOf(t *testing.T, dialect, family, name string) scene {
	t.Helper()
	words := map[string]string{}
	for word := range strings.SplitSeq(name, ",") {
		key, value, _ := strings.Cut(word, "=")
		words[key] = value
	}
	yes := func(key string) bool { return words[key] == "true" }
	_, no := words["no"]
	_, cleaned := words["cleaned"]
	s := scene{
		started: !no,
		empty:   cleaned,
		daemon: firewall.Daemon{
			Dialect:       map[string]firewall.Dialect{"28": firewall.Classic, "29": firewall.Docker29}[dialect],
			UserlandProxy: !yes("hairpin"),
		},
		network: firewall.Network{
			Bridge: "br-dummy", Internal: yes("internal"), ICC: yes("icc"),
			Masquerade: yes("masq"), GatewayMode: firewall.GatewayMode(words["gwm"]),
		},
		port: firewall.Port{Proto: "tcp", HostPort: 8080},
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

// build builds the scene up; clean is what there was before the network.
func (s scene) build(t *testing.T) (h *host, clean string) {
	h = newHost(t, s.family, s.daemon)
	if s.started {
		h.start()
	}
	clean = h.save()
	if s.started && !s.empty {
		h.addNetwork(s.network)
		h.addEndpoint(s.network.Bridge, s.port.To.Addr())
		h.addPorts(s.network.Bridge, s.port)
	}
	return h, clean
}

// compare builds the scene up, compares with the text, and takes it down.
func (s scene) compare(t *testing.T, want string) {
	h, clean := s.build(t)
	same(t, h.save(), want)
	if s.empty || !s.started {
		return
	}
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
func sharedData(t *testing.T, name string) (data string, ok bool) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		data = filepath.Join(dir, "shared", "data", name)
		if _, err := os.Stat(data); err == nil {
			return data, true
		}
	}
	return "", false
}
