package names_test

import (
	"net/netip"
	"testing"

	"uswitch/cmd/internal/world/names"
	"uswitch/switch/trace"
)

func TestUnknown(t *testing.T) {
	why := names.Unknown(records)
	for _, c := range []struct{ from, name, want string }{
		{"172.17.0.2", "GREY", "on bridge, the default network, nobody has a name"},
		{"172.17.0.2", "red.", "on bridge, the default network, nobody has a name"},
		{"11.11.11.2", "grey", "grey is on bridge, the default network, where nobody has a name"},
		{"11.11.11.2", "pink", "pink is on no network that the asker is on"},
		{"11.11.11.2", "blue", ""},
		{"11.11.11.2", "example.com", ""},
		{"172.17.0.2", "example.com", ""},
		{"8.8.8.8", "red", ""},
	} {
		got, ok := why(trace.English, netip.MustParseAddr(c.from), c.name)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s asks for %s: %q %v, want %q", c.from, c.name, got, ok, c.want)
		}
	}
}
