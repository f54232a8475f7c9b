package names_test

import (
	"slices"
	"testing"

	"github.com/miekg/dns"

	"uswitch/cmd/internal/world/names"
)

// TestLinks: a link is a name that one host alone has for another, on one network; it comes before, and hides, whoever is
// called that there.
func TestLinks(t *testing.T) {
	s := newServer(t, nil)
	r := records
	r.Hosts = slices.Clone(records.Hosts)
	linked := func(p names.Place, links map[string]string) names.Place { p.Links = links; return p }
	r.Hosts[0].Places = []names.Place{linked(records.Hosts[0].Places[0], map[string]string{"Store": "BLUE", "later": "NEW", "web": "blue", "pinky": "PINK"})}
	r.Hosts[1].Places = []names.Place{records.Hosts[1].Places[0], linked(records.Hosts[1].Places[1], map[string]string{"RED": "pink", "crimson": "nobody"})}
	r.Hosts[3].Places = []names.Place{linked(records.Hosts[3].Places[0], map[string]string{"store": "GREY"})}
	s.Set(r)
	const red, blue, pink, grey = "11.11.11.2", "11.11.11.3", "22.22.22.2", "172.17.0.2"
	ask := func(from, name, want string) {
		t.Helper()
		if reply, _ := s.asks(from, question(name, dns.TypeA)); text(reply) != want {
			t.Errorf("%s asks for %s: %s, want %s", from, name, text(reply), want)
		}
	}
	ask(red, "store", "NOERROR 11.11.11.3")
	ask(red, "STORE.lab_br0", "NOERROR 11.11.11.3")
	ask(red, "store.lab_br1", "REFUSED")
	ask(red, "web", "NOERROR 11.11.11.3") // and not RED itself, which is called that too
	ask(red, "pinky", "REFUSED")          // on another network than the link
	ask(red, "later", "REFUSED")
	ask(blue, "store", "REFUSED") // others do not know it
	ask(pink, "store", "REFUSED")
	ask(grey, "store", "REFUSED")
	ask(blue, "red", "NOERROR 22.22.22.2")     // a link, on the second network, before a name on the first
	ask(blue, "crimson", "NOERROR 11.11.11.2") // whom the link means is not there

	r.Hosts = append(r.Hosts, names.Host{Name: "NEW", Places: []names.Place{place("br0", "11.11.11.9", "NEW")}})
	s.Set(r)
	ask(red, "later", "NOERROR 11.11.11.9")
}
