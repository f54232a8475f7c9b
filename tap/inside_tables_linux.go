package tap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Numbers of sock_diag(7) that golang.org/x/sys does not have (linux/sock_diag.h, linux/inet_diag.h, net/tcp_states.h).
const (
	sockDiagByFamily = 20
	inetDiagSKV6Only = 11
	stateEstablished = 1
	stateClosed      = 7 // a UDP socket that is not connected
	stateListen      = 10
)

// diagRequest is struct inet_diag_req_v2: all sockets of a family and protocol that are in some states.
type diagRequest struct {
	family, proto uint8
	states        uint32
}

func (diagRequest) Len() int { return 56 }

func (r diagRequest) Serialize() []byte {
	b := make([]byte, r.Len())
	b[0], b[1] = r.family, r.proto
	binary.NativeEndian.PutUint32(b[4:], r.states)
	return b
}

// readSockets asks for the sockets of the calling thread's namespace (NETLINK_SOCK_DIAG). A kernel without IPv6 has none of it.
func (in *Inside) readSockets() {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		for proto, states := range map[uint8]uint32{unix.IPPROTO_TCP: 1 << stateListen, unix.IPPROTO_UDP: 1<<stateClosed | 1<<stateEstablished} {
			req := nl.NewNetlinkRequest(sockDiagByFamily, unix.NLM_F_DUMP)
			req.AddData(diagRequest{family, proto, states})
			rows, err := req.Execute(unix.NETLINK_INET_DIAG, 0)
			if err != nil && len(rows) == 0 {
				if family == unix.AF_INET {
					in.Unseen = append(in.Unseen, Unseen{At: AtInput, Text: "sockets that this kernel does not tell of"})
				}
				continue
			}
			for _, row := range rows {
				if s, ok := in.socket(row, proto); ok {
					in.Sockets = append(in.Sockets, s)
				}
			}
		}
	}
}

// socket reads struct inet_diag_msg. A socket of IPv6 counts where it takes IPv4 too.
func (in *Inside) socket(row []byte, proto uint8) (s Socket, ok bool) {
	const length = 72
	if len(row) < length {
		return s, false
	}
	addr, peer := netip.AddrFrom4([4]byte(row[8:])), netip.AddrFrom4([4]byte(row[24:]))
	if row[0] == unix.AF_INET6 {
		addr, peer = netip.AddrFrom16([16]byte(row[8:])).Unmap(), netip.AddrFrom16([16]byte(row[24:])).Unmap()
		if addr.Is6() && (!addr.IsUnspecified() || v6Only(row[length:])) {
			return s, false
		}
		if addr.Is6() {
			addr = netip.IPv4Unspecified()
		}
	}
	s = Socket{Proto: proto, Addr: addr, Port: binary.BigEndian.Uint16(row[4:])}
	if row[1] == stateEstablished {
		s.Peer = netip.AddrPortFrom(peer, binary.BigEndian.Uint16(row[6:]))
	}
	if index := binary.NativeEndian.Uint32(row[40:]); index != 0 {
		s.Dev = in.dev(int(index))
	}
	waiting, room := binary.NativeEndian.Uint32(row[56:]), binary.NativeEndian.Uint32(row[60:])
	s.Full = proto == unix.IPPROTO_TCP && waiting > room
	return s, s.Port != 0
}

func v6Only(attrs []byte) bool {
	list, err := nl.ParseRouteAttr(attrs)
	if err != nil {
		return false
	}
	for _, a := range list {
		if a.Attr.Type == inetDiagSKV6Only && len(a.Value) > 0 {
			return a.Value[0] != 0
		}
	}
	return false
}

// decisive are the settings that decide what becomes of a packet, below /proc/sys/net/ipv4 (ip-sysctl.rst).
var decisive = []string{"ip_forward", "ip_default_ttl", "icmp_echo_ignore_all", "icmp_echo_ignore_broadcasts", "icmp_ratemask"}

// decisiveOfDevices are those that every device has.
var decisiveOfDevices = []string{"forwarding", "rp_filter", "arp_ignore", "arp_filter", "arp_announce", "proxy_arp", "accept_local", "route_localnet"}

// readSysctls reads the settings of the calling thread's namespace.
func (in *Inside) readSysctls() {
	names := decisive
	for _, dev := range append([]string{"all"}, linkNames(in.Links)...) {
		for _, name := range decisiveOfDevices {
			names = append(names[:len(names):len(names)], "conf/"+dev+"/"+name)
		}
		if dev != "all" {
			names = append(names, "neigh/"+dev+"/mcast_solicit", "neigh/"+dev+"/app_solicit")
		}
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("/proc/sys/net/ipv4", name))
		if n, bad := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && bad == nil {
			in.sysctls[name] = n
		}
	}
}

func linkNames(links []Link) (names []string) {
	for _, l := range links {
		names = append(names, l.Name)
	}
	return names
}

// plainQdiscs are the queues that a device has by itself, or that only order what waits in them.
var plainQdiscs = []string{"noqueue", "pfifo_fast", "fq_codel", "fq", "mq", "sfq", "ingress", "clsact"}

// readTraffic finds queues and filters of tc(8), and BPF programs at devices (tcx). What they do is not evaluated.
func (in *Inside) readTraffic(h *netlink.Handle) {
	req := nl.NewNetlinkRequest(unix.RTM_GETQDISC, unix.NLM_F_DUMP)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL})
	rows, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWQDISC)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		in.unreadable("traffic control", err)
	}
	for _, row := range rows {
		msg := nl.DeserializeTcMsg(row)
		dev := in.dev(int(msg.Ifindex))
		attrs, err := nl.ParseRouteAttr(row[msg.Len():])
		if err != nil || dev == "" {
			continue
		}
		kind, shared := "", false
		for _, a := range attrs {
			switch a.Attr.Type {
			case nl.TCA_KIND:
				kind = text(a.Value)
			case nl.TCA_INGRESS_BLOCK, nl.TCA_EGRESS_BLOCK:
				shared = true
			}
		}
		if !slices.Contains(plainQdiscs, kind) || shared {
			in.Unseen = append(in.Unseen, Unseen{At: AtEgress, Dev: dev, Text: "a queue of tc's (" + kind + ") at " + dev, Shown: "tc qdisc show dev " + dev})
		}
		parents := map[uint32]Point{msg.Handle: AtEgress}
		switch kind {
		case "ingress":
			parents = map[uint32]Point{netlink.HANDLE_MIN_INGRESS: AtIngress}
		case "clsact":
			parents = map[uint32]Point{netlink.HANDLE_MIN_INGRESS: AtIngress, netlink.HANDLE_MIN_EGRESS: AtEgress}
		}
		for parent, at := range parents {
			if filtered(msg.Ifindex, parent) {
				in.Unseen = append(in.Unseen, Unseen{At: at, Dev: dev, Text: "filters of tc's at " + dev, Shown: "tc filter show dev " + dev + map[Point]string{AtIngress: " ingress", AtEgress: ""}[at]})
			}
		}
	}
	for _, l := range in.Links {
		for at, attach := range map[Point]uint32{AtIngress: bpfTCXIngress, AtEgress: bpfTCXEgress} {
			if bpfPrograms(uint32(l.Index), attach) > 0 {
				in.Unseen = append(in.Unseen, Unseen{At: at, Dev: l.Name, Text: "a BPF program at " + l.Name, Shown: "bpftool net show dev " + l.Name})
			}
		}
	}
}

// filtered reports whether a queue has filters.
func filtered(index int32, parent uint32) bool {
	req := nl.NewNetlinkRequest(unix.RTM_GETTFILTER, unix.NLM_F_DUMP)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: index, Parent: parent})
	rows, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWTFILTER)
	return err == nil && len(rows) > 0
}

// Of linux/bpf.h.
const (
	bpfProgQuery  = 16
	bpfTCXIngress = 46
	bpfTCXEgress  = 47
)

// bpfPrograms counts the programs that are attached to a device of the calling thread's namespace (BPF_PROG_QUERY); 0 also
// where the kernel has no such thing.
func bpfPrograms(index, attach uint32) uint32 {
	query := struct {
		target, attach, flags, attachFlags uint32
		ids                                uint64
		count, pad                         uint32
		more                               [4]uint64
	}{target: index, attach: attach}
	_, _, errno := unix.Syscall(unix.SYS_BPF, bpfProgQuery, uintptr(unsafe.Pointer(&query)), unsafe.Sizeof(query))
	if errno != 0 && errno != unix.ENOSPC {
		return 0
	}
	return query.count
}

// readOtherHooks finds IPsec policies and virtual servers, which take packets for themselves.
func (in *Inside) readOtherHooks() {
	req := nl.NewNetlinkRequest(nl.XFRM_MSG_GETPOLICY, unix.NLM_F_DUMP)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	if rows, err := req.Execute(unix.NETLINK_XFRM, 0); err == nil && len(rows) > 0 {
		for _, at := range []Point{AtInput, AtForward, AtOutput} {
			in.Unseen = append(in.Unseen, Unseen{At: at, Text: "IPsec policies"})
		}
	}
	servers, err := os.ReadFile("/proc/thread-self/net/ip_vs")
	if err == nil && bytes.Count(servers, []byte("\n")) > 3 {
		for _, at := range []Point{AtInput, AtForward, AtOutput} {
			in.Unseen = append(in.Unseen, Unseen{At: at, Text: "virtual servers (IPVS)"})
		}
	}
}
