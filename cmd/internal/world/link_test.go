package world_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/worldtest"
	"uswitch/switch/frame"
)

// TestLinkOnConnect: a link comes with an interface that is plugged into a running host, is answered to this host alone, and goes
// with the interface.
func TestLinkOnConnect(t *testing.T) {
	t.Parallel()
	host := &worldtest.Host{}
	w, _ := up(t, strings.Replace(office, "DIALECT", "off", 1), host)
	id := uint16(0)
	// asks returns the address that the name server tells an interface of, or how it refuses.
	asks := func(name, nic string, from netip.Addr, network string) (answer string) {
		t.Helper()
		id++
		m := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
		m.Id = id
		question, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		n := w.Network(network).Plan
		mac := frame.MACFromIPv4(from)
		d := host.Device(nic)
		d.Send(arpRequest(mac, from, n.Gateway.Addr()))
		d.Send(udpFrame(n.GatewayMAC, mac, from, n.Gateway.Addr(), question))
		eventually(t, name+" is answered", func() bool {
			for _, f := range d.Received() {
				const head = frame.EthernetHeader + frame.IPv4Header + frame.UDPHeader
				reply := new(dns.Msg)
				if len(f.Data) <= head || f.Data[23] != frame.ProtoUDP || reply.Unpack(f.Data[head:]) != nil || reply.Id != id {
					continue
				}
				if answer = dns.RcodeToString[reply.Rcode]; len(reply.Answer) > 0 {
					answer = reply.Answer[0].(*dns.A).A.String()
				}
				return true
			}
			return false
		})
		return answer
	}
	want := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	db, web := addr("10.2.0.3"), addr("10.2.0.2")
	want(asks("www", "DB eth0", db, "back"), "NXDOMAIN")
	if err := w.Connect(t.Context(), "DB", plan.Interface{Network: "front", Links: []plan.Link{{Name: "WEB", Alias: "www"}}}); err != nil {
		t.Fatal(err)
	}
	want(asks("www", "DB eth0", db, "back"), "10.1.0.2") // WEB's on front, where the link is
	want(asks("web", "DB eth0", db, "back"), "10.2.0.2")
	want(asks("www", "WEB eth0", web, "back"), "NXDOMAIN")
	if err := w.Disconnect("DB", "front"); err != nil {
		t.Fatal(err)
	}
	want(asks("www", "DB eth0", db, "back"), "NXDOMAIN")
	if err := w.Connect(t.Context(), "DB", plan.Interface{Network: "front", Links: []plan.Link{{Name: "WEB", Alias: "a b"}}}); err == nil || !strings.Contains(err.Error(), `link "a b"`) {
		t.Errorf("a link of two words: %v", err)
	}
}

func arpRequest(mac frame.MAC, from, to netip.Addr) []byte {
	b := make([]byte, 60)
	copy(b, frame.Broadcast[:])
	copy(b[6:], mac[:])
	copy(b[12:], []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, 1})
	copy(b[22:], mac[:])
	copy(b[28:], from.AsSlice())
	copy(b[38:], to.AsSlice())
	return b
}

// udpFrame is a question to a name server.
func udpFrame(dst, src frame.MAC, from, to netip.Addr, payload []byte) []byte {
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+frame.UDPHeader+len(payload))
	copy(b, dst[:])
	copy(b[6:], src[:])
	b[12] = 8
	u := b[frame.EthernetHeader+frame.IPv4Header:]
	u[0], u[1], u[3] = 7, 26, 53
	u[4], u[5] = byte(len(u)>>8), byte(len(u))
	copy(u[frame.UDPHeader:], payload)
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoUDP, 64, 1, from, to)
	return b
}
