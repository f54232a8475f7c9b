package frame_test

import (
	"net/netip"
	"testing"

	"uswitch/switch/frame"
)

func TestMACKinds(t *testing.T) {
	for _, tt := range []struct {
		mac                                 string
		group, broadcast, station, reserved bool
	}{
		{"00:00:00:00:00:00", false, false, false, false},
		{"02:42:0b:0b:0b:02", false, false, true, false},
		{"ff:ff:ff:ff:ff:ff", true, true, false, false},
		{"01:00:5e:00:00:fb", true, false, false, false},
		{"33:33:00:00:00:01", true, false, false, false},
		{"01:80:c2:00:00:00", true, false, false, true},
		{"01:80:c2:00:00:0f", true, false, false, true},
		{"01:80:c2:00:00:10", true, false, false, false},
		{"00:80:c2:00:00:00", false, false, true, false},
	} {
		m, err := frame.ParseMAC(tt.mac)
		if err != nil {
			t.Fatal(err)
		}
		if m.IsGroup() != tt.group || m.IsBroadcast() != tt.broadcast || m.IsStation() != tt.station || m.IsReserved() != tt.reserved {
			t.Errorf("%v: group %v, broadcast %v, station %v, reserved %v", m, m.IsGroup(), m.IsBroadcast(), m.IsStation(), m.IsReserved())
		}
	}
}

func TestMACText(t *testing.T) {
	want := frame.MAC{0x02, 0x42, 0xac, 0x11, 0xfe, 0x0a}
	for _, s := range []string{"02:42:ac:11:fe:0a", "02-42-AC-11-FE-0A", "02:42:Ac:11:Fe:0a"} {
		var m frame.MAC
		if err := m.UnmarshalText([]byte(s)); err != nil || m != want {
			t.Errorf("%s: %v, %v", s, m, err)
		}
	}
	if text, err := want.MarshalText(); err != nil || string(text) != "02:42:ac:11:fe:0a" {
		t.Errorf("%s, %v", text, err)
	}
	for _, s := range []string{"", "02:42:ac:11:fe", "02:42:ac:11:fe:0a:", "02:42-ac:11:fe:0a", "0242ac11fe0a", "02:42:ac:11:fe:0g",
		"02.42.ac.11.fe.0a", " 2:42:ac:11:fe:0a"} {
		m := want
		if err := m.UnmarshalText([]byte(s)); err == nil || m != want {
			t.Errorf("%q: %v, %v; want an error and the value untouched", s, m, err)
		}
	}
	if got := frame.MACFromIPv4(netip.MustParseAddr("172.17.0.2")).String(); got != "02:42:ac:11:00:02" {
		t.Errorf("MAC of 172.17.0.2: %s", got)
	}
}
