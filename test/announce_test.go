package test

import (
	"strings"
	"testing"
)

// TestReturnsWithAnotherMAC: a host that comes back with its address and another MAC is known to be there to a neighbour that
// says nothing meanwhile, and to the gateway, at once: neither goes on sending to where it was.
func TestReturnsWithAnotherMAC(t *testing.T) {
	needs(t, "ping")
	t.Parallel()
	l := startLab(t, threeHosts)
	const anew = "02:00:00:00:00:99"
	believes := func() string { return l.exec("BLUE", "ip", "neigh", "show", redIP) }
	if !l.pings("BLUE", redIP) || !l.pings("RED", gatewayIP) {
		t.Fatal("RED is not reached at first")
	}
	if text := believes(); !strings.Contains(text, redMAC) {
		t.Fatalf("BLUE believes at first: %s", text)
	}
	l.write(strings.Replace(threeHosts, "ipv4_address: "+redIP+"}", "ipv4_address: "+redIP+", mac_address: \""+anew+"\"}", 1))
	l.do("apply", l.file)
	eventually(t, "BLUE knows RED's new MAC, without having asked", func() bool { return strings.Contains(believes(), anew) })
	if text := l.do("ip", "neigh"); strings.Contains(text, redMAC) {
		t.Errorf("the gateway still believes:\n%s", text)
	}
	if !l.pings("BLUE", redIP) || !l.pings("RED", gatewayIP) {
		t.Error("RED is not reached any more")
	}
}
