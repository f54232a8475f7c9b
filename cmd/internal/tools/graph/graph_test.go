package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/graph"
)

var update = flag.Bool("update", false, "write the golden files anew")

// lab makes a lab of networks, and of hosts as in "WEB: front back".
func lab(networks []string, hosts ...string) *graph.Lab {
	l := &graph.Lab{Lab: api.Lab{Name: "drawn", Uplink: "sim"}}
	for i, name := range networks {
		base := netip.AddrFrom4([4]byte{10, byte(i), 0, 0})
		l.Networks = append(l.Networks, api.Network{Name: name, Subnet: netip.PrefixFrom(base, 16), Gateway: base.Next(), Internal: name == "back"})
	}
	for i, line := range hosts {
		name, on, _ := strings.Cut(line, ": ")
		h := api.Host{Name: name}
		for k, network := range strings.Fields(on) {
			n := slices.Index(networks, network)
			h.Interfaces = append(h.Interfaces, api.Interface{Name: fmt.Sprintf("eth%d", k), Network: network,
				Address: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n), byte((i + 2) >> 8), byte(i + 2)}), 16)})
			l.Ports = append(l.Ports, api.Port{Network: network, Name: name, Number: uint32(i + 1)})
		}
		l.Hosts = append(l.Hosts, h)
	}
	return l
}

// several has one of each kind of thing that is drawn.
func several() *graph.Lab {
	l := lab([]string{"front", "back", "empty"}, "RED: front", "WEB: front back", "DB: back", "ALONE: ")
	l.Hosts = append(l.Hosts, api.Host{Name: "SIDE", Mode: "shared", Shares: "DB", Interfaces: l.Hosts[2].Interfaces}, api.Host{Name: "NONE", Mode: "none"})
	l.Hosts[0].Interfaces[0].Unplugged = "taken out by hand"
	l.Ports = append(l.Ports, api.Port{Network: "back", Name: "vxlan7", Number: 9})
	l.Devices = []api.Device{{Name: "uplink", Kind: api.KindNone, Address: netip.MustParsePrefix("192.168.104.2/24")},
		{Name: "vxlan7", Kind: api.KindVXLAN, Port: "vxlan7", Master: "back"}}
	l.Published = []api.Published{{Host: "WEB", Protocol: "tcp", HostPort: 8080}}
	return l
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, format := range graph.Formats {
		var got, again bytes.Buffer
		if err := errors.Join(graph.Write(&got, graph.Layout(several()), format), graph.Write(&again, graph.Layout(several()), format)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), again.Bytes()) {
			t.Errorf("%s: the second drawing is another one", format)
		}
		golden := filepath.Join("testdata", "several."+format)
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs (%v); go test -update writes it anew", golden, err)
		}
	}
	if err := graph.Write(io.Discard, graph.Layout(several()), "png"); err == nil || !strings.Contains(err.Error(), "want one of svg") {
		t.Errorf("png: %v", err)
	}
}

// TestNamesAreText: whatever a name is made of, it is text in the drawing and makes nothing in it.
// TestByHand has a switch and an interface that were made by hand, with a cable between them, and hosts whose addresses only they know.
func TestByHand(t *testing.T) {
	t.Parallel()
	l := lab([]string{"br0", "x"}, "RED: br0")
	for i := range l.Networks {
		l.Networks[i].Subnet, l.Networks[i].Gateway = netip.Prefix{}, netip.Addr{}
	}
	l.Hosts[0].Interfaces[0].Address = netip.Prefix{}
	l.Ports = append(l.Ports, api.Port{Network: "br0", Name: "RED-eth1", Number: 8}, api.Port{Network: "br0", Name: "y", Number: 9}, api.Port{Network: "x", Name: "x", Number: 1})
	l.Devices = []api.Device{{Name: "veth3", Kind: api.KindVeth, Port: "RED-eth1", Master: "br0", Host: "RED"},
		{Name: "y", Kind: api.KindVeth, Port: "y", Master: "br0", PeerDev: "x"}, {Name: "x", Kind: api.KindVeth, Port: "x", PeerDev: "y"}}
	var b bytes.Buffer
	if err := graph.Write(&b, graph.Layout(l), "mermaid"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cable to x", "cable to y", "no address of the lab's"} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, &b)
		}
	}
	for _, not := range []string{"invalid", "other machines", "RED-eth1"} {
		if strings.Contains(b.String(), not) {
			t.Errorf("%q is there:\n%s", not, &b)
		}
	}
}

func TestNamesAreText(t *testing.T) {
	t.Parallel()
	evil := `</text><script>alert("1")</script>&`
	l := lab([]string{"br0"}, "RED: br0")
	l.Hosts[0].Name, l.Networks[0].Name, l.Lab.Name, l.Lab.Uplink = evil, evil, evil, evil
	l.Hosts[0].Interfaces[0].Network, l.Hosts[0].Interfaces[0].Name = evil, evil
	for _, format := range []string{"svg", "drawio"} {
		var b bytes.Buffer
		if err := graph.Write(&b, graph.Layout(l), format); err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(&b); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
				t.Errorf("%s has a script", format)
			}
		}
	}
	var b bytes.Buffer
	if err := graph.Mermaid(&b, graph.Layout(l)); err != nil || strings.Contains(b.String(), "<script") {
		t.Errorf("mermaid: %v\n%s", err, &b)
	}
}

// TestNothingIsCovered: in labs of all sizes no box stands on another one, no cable goes behind a box, and everything is inside.
func TestNothingIsCovered(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		networks := []string{"br0", "br1", "br2", "br3", "br4"}[:1+r.IntN(5)]
		var hosts []string
		for i := range 1 + r.IntN(1+int(seed)) {
			on := slices.Clone(networks)
			r.Shuffle(len(on), func(i, k int) { on[i], on[k] = on[k], on[i] })
			hosts = append(hosts, fmt.Sprintf("h%d: %s", i, strings.Join(on[:1+r.IntN(min(3, len(on)))], " ")))
		}
		for _, open := range [][]string{nil, {"*"}} {
			p := graph.Layout(lab(networks, hosts...), open...)
			if problem := covered(p); problem != "" {
				t.Fatalf("seed %d, open %v: %s", seed, open, problem)
			}
			if open != nil && len(p.Nodes) != len(hosts)+len(networks)+2 {
				t.Fatalf("seed %d: %d nodes for %d hosts", seed, len(p.Nodes), len(hosts))
			}
			if open == nil && len(p.Nodes) > 120 {
				t.Fatalf("seed %d: %d nodes: nothing is folded", seed, len(p.Nodes))
			}
		}
	}
}

func covered(p *api.Picture) string {
	for i, a := range p.Nodes {
		if a.X < 0 || a.Y < 0 || a.X+a.W > p.Width || a.Y+a.H > p.Height {
			return a.ID + " is outside"
		}
		for _, b := range p.Nodes[i+1:] {
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				return a.ID + " stands on " + b.ID
			}
		}
	}
	for _, l := range p.Links {
		for i := range l.Path[1:] {
			a, b := l.Path[i], l.Path[i+1]
			if a.X != b.X && a.Y != b.Y {
				return l.ID + " goes across"
			}
			for _, n := range p.Nodes {
				if min(a.X, b.X) < n.X+n.W && n.X < max(a.X, b.X) && n.Y < a.Y && a.Y < n.Y+n.H && a.Y == b.Y ||
					min(a.Y, b.Y) < n.Y+n.H && n.Y < max(a.Y, b.Y) && n.X < a.X && a.X < n.X+n.W && a.X == b.X {
					return l.ID + " goes behind " + n.ID
				}
			}
		}
	}
	return ""
}

func TestGroupsOpen(t *testing.T) {
	t.Parallel()
	hosts := []string{"ADMIN: br0"}
	for i := range 60 {
		hosts = append(hosts, fmt.Sprintf("web-%d: br0", i), fmt.Sprintf("db%d: br0 br1", i))
	}
	l := lab([]string{"br0", "br1"}, hosts...)
	count := func(p *api.Picture, kind string) (n int) {
		for _, node := range p.Nodes {
			if node.Kind == kind {
				n++
			}
		}
		return n
	}
	folded := graph.Layout(l)
	if count(folded, api.NodeHost) != 1 || count(folded, api.NodeGroup) != 2 {
		t.Errorf("%d hosts and %d groups, want 1 and 2", count(folded, api.NodeHost), count(folded, api.NodeGroup))
	}
	i := slices.IndexFunc(folded.Nodes, func(n api.Node) bool { return n.Kind == api.NodeGroup })
	opened := graph.Layout(l, folded.Nodes[i].ID)
	if count(opened, api.NodeHost) != 61 || count(opened, api.NodeGroup) != 1 {
		t.Errorf("opened: %d hosts and %d groups, want 61 and 1", count(opened, api.NodeHost), count(opened, api.NodeGroup))
	}
}
