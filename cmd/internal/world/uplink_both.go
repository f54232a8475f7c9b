package world

import (
	"net/netip"
	"sync"
	"time"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// openBoth opens an internet in memory as the way out, with published ports that are sockets of this machine.
func (w *World) openBoth(internet *sim.Internet) error {
	standIn := w.standIn()
	host, err := w.sockets(uplink.HostConfig{Addr: internet.Addr(), Gateway: standIn, Addr6: internet.Addr6().Addr(), Gateway6: w.standIn6()})
	if err != nil {
		return err
	}
	way := &inboundHere{Internet: internet, host: host}
	iface, err := w.addUplink(nat.InterfaceConfig{Addr: internet.Addr(), MTU: uplink.MaxMTU, Uplink: way})
	if err != nil {
		return err
	}
	internet.Connect(w.gateway, iface)
	host.Attach(func(f frame.Frame, now time.Time) {
		way.clients.note(f)
		w.gateway.InputUplink(iface, f, now)
	}, w.gateway.Undelivered)
	w.way = &wayOut{iface: iface, onMachine: true, standIn: standIn, six: internet.Addr6(), next6: internet.NextHop6(),
		overflowed: host.Overflowed, listen: w.listenOn(host)}
	return nil
}

// inboundHere is an uplink whose outside is an internet in memory, but for those who come by a socket of this machine: they get
// their answers there.
type inboundHere struct {
	*sim.Internet
	host    *uplink.Host
	clients clients
}

// Output implements nat.Uplink.
func (u *inboundHere) Output(f frame.Frame, now time.Time) trace.Reason {
	if u.clients.has(f) {
		return u.host.Output(f, now)
	}
	return u.Internet.Output(f, now)
}

// IsMachine implements nat.Machiner: clients on this machine.
func (u *inboundHere) IsMachine(a netip.Addr) bool { return u.host.IsMachine(a) }

// clients are the flows that came in by this machine's sockets, as their answers have them. There are two generations of them:
// when the younger one is full it becomes the older one, so that a flow is remembered until as many others have come after it.
// The zero value is ready.
type clients struct {
	mu         sync.RWMutex // guards what follows
	young, old map[frame.Tuple]struct{}
}

// maxClients is how many flows a generation has: more than there are connections by default.
const maxClients = 1 << 18

// note remembers the flow of a packet that comes in.
func (c *clients) note(f frame.Frame) {
	t, ok := flowOf(f)
	if !ok {
		return
	}
	t = t.Reply()
	c.mu.RLock()
	_, known := c.young[t]
	c.mu.RUnlock()
	if known {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= maxClients {
		c.young, c.old = map[frame.Tuple]struct{}{}, c.young
	}
	c.young[t] = struct{}{}
}

// has reports whether a packet that leaves is an answer to one of them.
func (c *clients) has(f frame.Frame) bool {
	t, ok := flowOf(f)
	if !ok {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, young := c.young[t]
	_, old := c.old[t]
	return young || old
}

// flowOf reads the flow that a packet belongs to: its own, or that of the packet which an ICMP error quotes, turned round, so that
// an error about an answer goes where the answers go.
func flowOf(f frame.Frame) (frame.Tuple, bool) {
	ip, err := frame.ParseIP(f.Data[frame.EthernetHeader:])
	if err != nil {
		return frame.Tuple{}, false
	}
	if ip.IsICMP() && ip.FragmentOffset() == 0 && !ip.IsICMPQuery() {
		quoted, ok := ip.Quote()
		if !ok {
			return frame.Tuple{}, false
		}
		t, ok := quoted.Tuple()
		return t.Reply(), ok
	}
	return ip.Tuple()
}
