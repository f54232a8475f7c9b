package nat_test

import (
	"fmt"
	"testing"
	"time"

	"uswitch/switch/trace"
)

// TestErrorsOfOneHostSilenceNobody: behind MASQUERADE a scan and everybody else have one address.
func TestErrorsOfOneHostSilenceNobody(t *testing.T) {
	l := newLab(t, masquerade)
	l.wan.refuse = trace.Refused
	scan := func(h host, n int) (told int) {
		l.br0.raw()
		for i := range n {
			h.send(udp(fmt.Sprintf("%v:%d", h.addr, 1000+i), fmt.Sprintf("8.8.8.8:%d", 1+i), ""))
		}
		return len(l.br0.raw())
	}
	if told := scan(l.red, 100); told != 6 {
		t.Errorf("RED's scan was told of %d refusals, want 6", told)
	}
	if told := scan(l.br0.host("11.11.11.200", 2), 10); told != 0 {
		t.Errorf("RED with another address was told of %d more", told)
	}
	if told := scan(l.pink, 3); told != 3 {
		t.Errorf("PINK was told of %d of 3 refusals while RED scans", told)
	}
	l.advance(time.Second)
	if told := scan(l.red, 10); told != 1 {
		t.Errorf("a second later RED was told of %d, want 1", told)
	}
}

// TestErrorsToOutsideLeaveSomeForInside: who is outside can have any address, and all of them together share one half.
func TestErrorsToOutsideLeaveSomeForInside(t *testing.T) {
	l := newLab(t)
	for i := range 1000 {
		l.wan.send(udp(fmt.Sprintf("9.9.%d.%d:1", i/250, 1+i%250), "192.0.2.2:9", ""))
	}
	if n := len(l.wan.raw()); n != 25 {
		t.Errorf("%d of 1000 outside were told that the port is closed, want 25 at once", n)
	}
	l.red.send(udp("11.11.11.2:1", "11.11.11.1:9", ""))
	if n := len(l.br0.raw()); n != 1 {
		t.Error("RED was not told, because of those outside")
	}
}
