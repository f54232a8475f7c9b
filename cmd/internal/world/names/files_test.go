package names_test

import (
	"net/netip"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/names"
)

const files = `
name: lab
networks:
  front: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
  back: {internal: true, ipam: {config: [{subnet: 22.22.22.0/24}]}}
services:
  RED: {networks: [front], hostname: crimson, extra_hosts: ["db=10.1.2.3", "home=host-gateway"]}
  BLUE: {networks: {back: {priority: 2}, front: {}}, dns: [9.9.9.9], dns_search: [b.example], dns_opt: ["ndots:2"]}
  GREY: {network_mode: bridge}
  PALE: {network_mode: bridge, dns: [9.9.9.9], dns_search: .}
  NONE: {network_mode: none, extra_hosts: ["home=host-gateway"]}
`

func planOf(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Parse("lab.yaml", []byte(text), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// said returns the lines of a file that are no comments.
func said(file []byte) string {
	var lines []string
	for line := range strings.Lines(string(file)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

func TestResolvConf(t *testing.T) {
	p := planOf(t, files)
	machine := names.Machine{Resolv: names.ParseResolv(strings.NewReader("nameserver 127.0.0.53\nnameserver 10.0.0.1\nsearch corp.example\noptions edns0\n"))}
	for host, want := range map[string]string{
		"RED":  "nameserver 11.11.11.1; search corp.example; options edns0 ndots:0",
		"BLUE": "nameserver 22.22.22.1; search b.example; options ndots:2",
		"GREY": "nameserver 10.0.0.1; search corp.example; options edns0",
		"PALE": "nameserver 9.9.9.9; options edns0",
		"NONE": "",
	} {
		if got := said(names.Files(p, p.Host(host), machine)["resolv.conf"]); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	if got := said(names.Files(p, p.Host("GREY"), names.Machine{})["resolv.conf"]); got != "nameserver 8.8.8.8; nameserver 8.8.4.4" {
		t.Errorf("without any resolver: %s", got)
	}
}

func TestHosts(t *testing.T) {
	p := planOf(t, files)
	for host, want := range map[string]string{
		"RED":  "10.1.2.3\tdb; 11.11.11.1\thome; 11.11.11.2\tcrimson",
		"BLUE": "22.22.22.2\tBLUE; 11.11.11.3\tBLUE",
		"GREY": "172.17.0.2\tGREY",
		"NONE": "ff02::2\tip6-allrouters",
	} {
		got := names.Files(p, p.Host(host), names.Machine{})
		if text := said(got["hosts"]); !strings.HasPrefix(text, "127.0.0.1\tlocalhost; ") || !strings.HasSuffix(text, want) {
			t.Errorf("%s: %s, want %s", host, text, want)
		}
		if got := string(got["hostname"]); got != p.Host(host).Hostname+"\n" {
			t.Errorf("hostname of %s: %q", host, got)
		}
	}
}

func TestNSSwitch(t *testing.T) {
	p := planOf(t, files)
	for text, want := range map[string]string{
		"passwd: files\nhosts: mymachines resolve [!UNAVAIL=return] files dns\n": "passwd: files; hosts: files dns",
		"hosts: files dns\n": "",
		"":                   "",
	} {
		if got := said(names.Files(p, p.Host("RED"), names.Machine{NSSwitch: []byte(text)})["nsswitch.conf"]); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	r := names.Of(planOf(t, files))
	s := newServer(t, nil)
	s.Set(r)
	for _, c := range []struct{ from, name, want string }{
		{"11.11.11.2", "lab-BLUE-1", "NOERROR 11.11.11.3"},
		{"11.11.11.3", "crimson", "NOERROR 11.11.11.2"},
		{"22.22.22.2", "red.lab_front", "NOERROR 11.11.11.2"},
		{"11.11.11.2", "grey", "REFUSED"},
		{"172.17.0.2", "red", "REFUSED"},
		{"172.17.0.2", "pale", "REFUSED"},
	} {
		if reply, _ := s.asks(c.from, question(c.name, 1)); text(reply) != c.want {
			t.Errorf("%s asks for %s: %s, want %s", c.from, c.name, text(reply), c.want)
		}
	}
	for _, h := range r.Hosts {
		if h.Name == "BLUE" && (len(h.Resolvers) != 1 || h.Resolvers[0] != netip.MustParseAddr("9.9.9.9")) {
			t.Errorf("resolvers of BLUE: %v", h.Resolvers)
		}
	}
}
