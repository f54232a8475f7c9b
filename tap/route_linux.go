package tap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// router is a socket in a namespace, through which its kernel can be asked from any thread.
type router struct {
	mu     *sync.Mutex
	socket *nl.SocketHandle // nil: closed
}

// open opens the socket in the calling thread's namespace.
func (r *router) open() error {
	s, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	r.mu, r.socket = new(sync.Mutex), &nl.SocketHandle{Socket: s}
	return nil
}

func (r *router) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.socket != nil {
		r.socket.Close()
		r.socket = nil
	}
}

// rtmFLookupTable makes the kernel say which table has decided (RTM_F_LOOKUP_TABLE of linux/rtnetlink.h).
const rtmFLookupTable = 0x1000

// refusals are the errors by which the kernel says that it would not take a packet along (fib_props of fib_semantics.c, and
// ip_route_input_slow of route.c).
var refusals = map[error]RouteType{unix.EINVAL: Blackhole, unix.EHOSTUNREACH: Unreachable, unix.EACCES: Prohibit, unix.ENETUNREACH: NoRoute,
	unix.EXDEV: ReversePath}

// route asks; see Inside.Route.
func (r *router) route(f Flow, in *Inside) (Decision, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.socket == nil {
		return Decision{}, errors.New("the namespace is not looked at any more")
	}
	req := nl.NewNetlinkRequest(unix.RTM_GETROUTE, 0)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: r.socket}
	msg := &nl.RtMsg{}
	msg.Family, msg.Dst_len, msg.Flags = unix.AF_INET, 32, rtmFLookupTable
	attrs := []*nl.RtAttr{nl.NewRtAttr(unix.RTA_DST, f.Dst.AsSlice()), nl.NewRtAttr(unix.RTA_UID, nl.Uint32Attr(0))}
	if f.Src.IsValid() {
		msg.Src_len = 32
		attrs = append(attrs, nl.NewRtAttr(unix.RTA_SRC, f.Src.AsSlice()))
	}
	if f.In != "" {
		index := 0
		for _, l := range in.Links {
			if l.Name == f.In {
				index = l.Index
			}
		}
		attrs = append(attrs, nl.NewRtAttr(unix.RTA_IIF, nl.Uint32Attr(uint32(index))))
	}
	if f.Mark != 0 {
		attrs = append(attrs, nl.NewRtAttr(unix.RTA_MARK, nl.Uint32Attr(f.Mark)))
	}
	if f.Proto != 0 {
		attrs = append(attrs, nl.NewRtAttr(unix.RTA_IP_PROTO, []byte{f.Proto}))
	}
	for attr, port := range map[int]uint16{unix.RTA_SPORT: f.SrcPort, unix.RTA_DPORT: f.DstPort} {
		if port != 0 {
			attrs = append(attrs, nl.NewRtAttr(attr, binary.BigEndian.AppendUint16(nil, port)))
		}
	}
	req.AddData(msg)
	for _, a := range attrs {
		req.AddData(a)
	}
	replies, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWROUTE)
	var errno unix.Errno
	if errors.As(err, &errno) {
		if t, ok := refusals[errno]; ok {
			return Decision{Type: t}, nil
		}
	}
	if err != nil || len(replies) == 0 {
		return Decision{}, fmt.Errorf("the route to %v: %w", f.Dst, err)
	}
	return in.decision(replies[0])
}

// decision reads what the kernel has answered.
func (in *Inside) decision(reply []byte) (d Decision, err error) {
	msg := nl.DeserializeRtMsg(reply)
	attrs, err := nl.ParseRouteAttr(reply[msg.Len():])
	if err != nil {
		return d, err
	}
	d.Type, d.Table = routeTypes[int(msg.Type)], int(msg.Table)
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.RTA_OIF:
			d.Dev = in.dev(int(nl.NativeEndian().Uint32(a.Value)))
		case unix.RTA_GATEWAY:
			d.Via, _ = netip.AddrFromSlice(a.Value)
		case unix.RTA_VIA, unix.RTA_ENCAP:
			d.Tunnel = true
		case unix.RTA_PREFSRC:
			d.Src, _ = netip.AddrFromSlice(a.Value)
		case unix.RTA_TABLE:
			d.Table = int(nl.NativeEndian().Uint32(a.Value))
		case unix.RTA_METRICS:
			metrics, err := nl.ParseRouteAttr(a.Value)
			if err != nil {
				return d, err
			}
			for _, m := range metrics {
				switch {
				case len(m.Value) < 4:
				case m.Attr.Type == unix.RTAX_MTU:
					d.MTU = int(nl.NativeEndian().Uint32(m.Value))
				case m.Attr.Type == unix.RTAX_HOPLIMIT:
					d.TTL = int(nl.NativeEndian().Uint32(m.Value))
				}
			}
		}
	}
	return d, nil
}

// local is the Host that does everything itself, with the privileges of this process.
type local struct {
	records records
	names   namesDir
	buffers buffers
	gate    gate

	homes    homes
	stagings stagings
	moving   sync.Mutex // held while an interface is moved out of its staging namespace

	monitorMu sync.Mutex
	monitor   *linkMonitor // nil until the first watch
}

// New returns the Host that does everything here and now. It keeps its records under dir; an empty dir stands for
// DefaultDir. Nothing is made and nothing is checked before it is needed.
func New(dir string) (Host, error) { return NewWithNames(dir, netnsDir) }

// NewWithNames is New with another directory than that of "ip netns" for the names of namespaces: for whoever may not write
// there. The directory must be another one's of those who use it at the same time, or be mounted for its user alone.
func NewWithNames(dir, names string) (Host, error) {
	if dir == "" {
		dir = DefaultDir
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &local{records: records{dir: dir, etc: new(etcParent)}, names: namesDir(names), homes: homes{names: namesDir(names)}}, nil
}

// Close implements Host.
func (l *local) Close() error {
	l.monitorMu.Lock()
	if l.monitor != nil {
		l.monitor.close()
		l.monitor = nil
	}
	l.monitorMu.Unlock()
	l.gate.close()
	l.homes.close()
	return l.stagings.close()
}
