package tap

import (
	"encoding/binary"
	"net/netip"

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
